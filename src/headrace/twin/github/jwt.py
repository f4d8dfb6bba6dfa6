"""The JSON web token with which a GitHub App signs in: RS256, ten minutes at most."""

from __future__ import annotations

import base64
import binascii

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from headrace.errors import BadInput
from headrace.twin.github.problem import Problem

_LONGEST_S = 600
_SKEW_S = 60


class _Header(msgspec.Struct):
    alg: str


class _Claims(msgspec.Struct):
    iat: int
    exp: int
    iss: int | str


def read_key(pem: str) -> rsa.RSAPublicKey:
    """The App's public key. Raises BadInput for anything else."""
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadInput("The App's public key is not an RSA key in PEM format.")
    return key


def check_jwt(authorization: str, key: rsa.RSAPublicKey, app_id: int, now_s: int) -> None:
    """Raises Problem (401) unless the App signed this, for now and not for longer than allowed."""
    scheme, _, token = authorization.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise ValueError
        signed, _, signature = token.strip().rpartition(".")
        head, _, body = signed.partition(".")
        header = msgspec.json.decode(_decoded(head), type=_Header)
        if header.alg != "RS256":
            raise ValueError
        key.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), SHA256())
        claims = msgspec.json.decode(_decoded(body), type=_Claims)
    except (ValueError, binascii.Error, msgspec.MsgspecError, InvalidSignature):
        raise Problem(401, "A JSON web token could not be decoded") from None
    if claims.iat > now_s + _SKEW_S:
        raise Problem(401, "'Issued at' claim ('iat') must be in the past")
    if claims.exp <= now_s:
        raise Problem(401, "'Expiration time' claim ('exp') is in the past")
    # Counted from now: a backdated iat, against clock skew, is no reason to refuse.
    if claims.exp > now_s + _LONGEST_S:
        raise Problem(401, "'Expiration time' claim ('exp') is too far in the future")
    if str(claims.iss) != str(app_id):
        raise Problem(401, "'Issuer' claim ('iss') is not a known App")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
