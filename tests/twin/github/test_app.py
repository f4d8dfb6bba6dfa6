"""The GitHub App: a web token it signs itself, and tokens for its installation."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.twin.github.twin import NOW_S, Start

from headrace.errors import BadInput
from headrace.twin.github import GitHub, Options
from headrace.twin.github.options import parse

TOKENS = "/app/installations/1/access_tokens"
CLAIMS = {"iat": NOW_S - 60, "exp": NOW_S + 600, "iss": 7}


@cache
def key(name: str = "app") -> rsa.RSAPrivateKey:
    """The same key for the same name."""
    assert name
    return rsa.generate_private_key(65_537, 2_048)


def public(private: rsa.RSAPrivateKey) -> str:
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def jwt(signer: rsa.RSAPrivateKey, alg: str = "RS256", **claims: Any) -> str:
    said = {**CLAIMS, **claims}
    parts = [{"alg": alg, "typ": "JWT"}, {k: v for k, v in said.items() if v is not None}]
    signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{encoded(signer.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


async def test_an_installations_token_reaches_its_repositories_for_an_hour(start: Start) -> None:
    """Covers H12."""
    twin = await start(app_public_key=public(key()))
    listed = await twin.get("/app/installations", token=jwt(key()))
    assert [one["id"] for one in listed.body] == [1]
    made = await twin.ask("POST", TOKENS, headers={"Authorization": f"Bearer {jwt(key())}"})
    assert made.status == 201
    token = made.body["token"]
    got = await twin.get("/installation/repositories", token=token)
    names = [row["full_name"] for row in got.body["repositories"]]
    assert (got.body["total_count"], names) == (2, ["octo/repo-2", "octo/repo-3"])
    assert (await twin.get("/repos/octo/repo-2/issues", token=token)).status == 200
    person = await twin.get("/user", token=token)
    assert person.body["message"] == "Resource not accessible by integration"
    await twin.post("/admin/clock", {"advance_s": 3_600})
    assert (await twin.get("/installation/repositories", token=token)).status == 401


async def test_a_token_may_be_asked_for_less_but_not_for_more(start: Start) -> None:
    twin = await start(app_public_key=public(key()))
    sign = {"Authorization": f"Bearer {jwt(key())}"}
    less = {"repositories": ["repo-3"], "permissions": {"metadata": "read"}}
    token = (await twin.post(TOKENS, less, **sign)).body["token"]
    assert (await twin.get("/repos/octo/repo-2", token=token)).status == 404
    await twin.change({"do": "make_private", "repo": "octo/repo-3"})
    assert (await twin.get("/repos/octo/repo-3", token=token)).status == 200
    assert (await twin.get("/repos/octo/repo-3/issues", token=token)).status == 403
    for more in ({"repositories": ["repo-1"]}, {"permissions": {"issues": "write"}}):
        assert (await twin.post(TOKENS, more, **sign)).status == 422
    assert (await twin.post("/app/installations/2/access_tokens", {}, **sign)).status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": NOW_S},
        {"exp": NOW_S + 601},
        {"exp": None},
        {"iat": NOW_S + 61},
        {"iss": 8},
        {"alg": "HS256"},
        {"alg": "none"},
    ],
)
async def test_a_web_token_must_be_for_now_short_and_the_apps(
    start: Start, wrong: dict[str, Any]
) -> None:
    twin = await start(app_public_key=public(key()))
    assert (await twin.get("/app/installations", token=jwt(key(), **wrong))).status == 401


async def test_a_web_token_must_be_signed_by_the_app(start: Start) -> None:
    twin = await start(app_public_key=public(key()))
    for token in (jwt(key("other")), jwt(key())[:-4], "ghp_twin", "a.b.c"):
        assert (await twin.get("/app/installations", token=token)).status == 401
    assert (await twin.get("/user", token=jwt(key()))).status == 401


def test_the_key_is_pem_or_a_file_of_it(tmp_path: Path) -> None:
    file = tmp_path / "app.pem"
    file.write_text(public(key()))
    assert parse(["--app-public-key", str(file)]).app_public_key == public(key())
    with pytest.raises(BadInput, match="cannot be read"):
        parse(["--app-public-key", str(tmp_path / "none.pem")])
    with pytest.raises(BadInput, match="not an RSA key"):
        GitHub(Options(app_public_key="-----nothing"))
