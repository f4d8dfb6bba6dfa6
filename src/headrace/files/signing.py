"""Requests signed as S3 wants them: AWS Signature Version 4, for reading only.

The reference is "Signature Version 4" in the API reference of Amazon S3.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from yarl import URL

_ALGORITHM = "AWS4-HMAC-SHA256"
_NO_BODY = hashlib.sha256(b"").hexdigest()


class Keys(msgspec.Struct, frozen=True, omit_defaults=True):
    """What signs, and for which endpoint it was given: keys are not taken to another."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    endpoint_url: str | None = None


def signed(url: str, region: str, keys: Keys | None, now: datetime | None = None) -> dict[str, str]:
    """The headers of a GET of this URL, whose path and query are encoded and whose query is sorted.
    Without keys, those of a request that anybody may make."""
    headers = {"Accept": "*/*", "x-amz-content-sha256": _NO_BODY}
    if keys is None:
        return headers
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    headers["x-amz-date"] = moment
    if keys.session_token:
        headers["x-amz-security-token"] = keys.session_token
    target = URL(url, encoded=True)
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    names, canonical = _canonical({**headers, "Host": _host(target)})
    request = "\n".join(
        ("GET", target.raw_path, target.raw_query_string, canonical, names, _NO_BODY)
    )
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = _signature(keys.secret_access_key, scope, f"{moment}\n{scope}\n{digest}")
    headers["Authorization"] = (
        f"{_ALGORITHM} Credential={keys.access_key_id}/{scope},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _canonical(headers: Mapping[str, str]) -> tuple[str, str]:
    wanted = sorted((name.lower(), value) for name, value in headers.items() if name != "Accept")
    return ";".join(name for name, _ in wanted), "".join(f"{n}:{v.strip()}\n" for n, v in wanted)


def _host(target: URL) -> str:
    host = target.host_subcomponent or ""
    return host if target.is_default_port() else f"{host}:{target.port}"


def _signature(secret: str, scope: str, text: str) -> str:
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, f"{_ALGORITHM}\n{text}".encode(), "sha256").hex()
