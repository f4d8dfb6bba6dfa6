"""Tokens as Better Auth encrypts them. test_real.py holds this against the package itself."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr
from tests.better_auth.application import SECRET

from headrace.errors import BadInput, NeedsHuman
from headrace.oauth.better_secrets import PLAIN, Form, Secrets
from headrace.settings import Settings

TOKEN = "ya29.a-token-nobody-may-see"


def secrets(secret: str | None = SECRET, versions: str | None = "2:newer,1:older") -> Secrets:
    values: dict[str, Any] = {
        "better_auth_secret": secret and SecretStr(secret),
        "better_auth_secrets": versions and SecretStr(versions),
    }
    return Secrets(Settings(_env_file=None, **values))


@pytest.mark.parametrize("form", [PLAIN, Form(True), Form(True, 1), Form(True, 2)])
def test_a_token_opens_as_it_was_kept(form: Form) -> None:
    """Each token says for itself how it is kept: rows from before the switch stay plain."""
    kept = secrets().seal(TOKEN, form)
    assert (TOKEN in kept) is not form.encrypted
    assert kept.startswith("$ba$") is (form.version is not None)
    assert secrets().open(kept) == (TOKEN, form)


def test_two_ciphertexts_of_one_token_differ() -> None:
    assert secrets().seal(TOKEN, Form(True)) != secrets().seal(TOKEN, Form(True))


@pytest.mark.parametrize("plain", ["", "gho_16C7e42F292c6912E7710c838347Ae178B4a", "deadbeef"])
def test_what_is_not_encrypted_is_taken_as_it_is(plain: str) -> None:
    assert secrets(None, None).open(plain) == (plain, PLAIN)


@pytest.mark.parametrize(
    ("form", "there", "named"),
    [
        (Form(True), secrets(None), "BETTER_AUTH_SECRET"),
        (Form(True), secrets("another"), "BETTER_AUTH_SECRET"),
        (Form(True, 2), secrets(SECRET, None), "BETTER_AUTH_SECRETS"),
        (Form(True, 2), secrets(SECRET, "2:another"), "BETTER_AUTH_SECRETS"),
    ],
)
def test_a_secret_that_is_missing_or_wrong_is_named(form: Form, there: Secrets, named: str) -> None:
    kept = secrets().seal(TOKEN, form)
    with pytest.raises(NeedsHuman) as raised:
        there.open(kept)
    assert f"Set {named} " in raised.value.hint
    assert TOKEN not in str(raised.value)
    assert kept not in str(raised.value)


@pytest.mark.parametrize("versions", ["hush", "one:hush", "7:", "-1:hush", "2:hush,,1:other"])
def test_versions_that_cannot_be_used_are_refused_without_being_shown(versions: str) -> None:
    with pytest.raises(BadInput) as raised:
        secrets(SECRET, versions)
    assert "BETTER_AUTH_SECRETS" in str(raised.value)
    assert versions not in str(raised.value)
