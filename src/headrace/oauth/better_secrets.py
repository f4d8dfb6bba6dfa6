"""Better Auth's secrets, and tokens as it encrypts them.

With its option `encryptOAuthTokens`, a token is hex(nonce 24 | XChaCha20-Poly1305) under the
SHA-256 of the secret; with several secrets `$ba$<version>$` stands in front. Rows from before the
option was switched on stay as they are, which is why each token says for itself how it is kept.
"""

from __future__ import annotations

import hashlib
import os
import re

import msgspec
from cryptography.exceptions import InvalidTag

from headrace.errors import BadInput, NeedsHuman
from headrace.oauth.xchacha import NONCE, TAG, decrypt, encrypt
from headrace.settings import Settings

_VERSIONED = re.compile(r"\$ba\$([0-9]+)\$([0-9a-fA-F]+)")
_HEX = re.compile(rf"(?:[0-9a-fA-F]{{2}}){{{NONCE + TAG},}}")


class Form(msgspec.Struct, frozen=True):
    """How a token is kept: as it is, or encrypted with the secret of a version; None: with the one
    that has no version."""

    encrypted: bool = False
    version: int | None = None


PLAIN = Form()


class Secrets:
    """What opens encrypted tokens, by BETTER_AUTH_SECRET and BETTER_AUTH_SECRETS."""

    def __init__(self, settings: Settings) -> None:
        """Raises BadInput for BETTER_AUTH_SECRETS that cannot be used."""
        self._keys: dict[int | None, bytes] = {}
        if settings.better_auth_secret is not None:
            self._keys[None] = _key(settings.better_auth_secret.get_secret_value())
        if settings.better_auth_secrets is not None:
            for one in settings.better_auth_secrets.get_secret_value().split(","):
                version, _, secret = one.strip().partition(":")
                if not (version.isascii() and version.isdigit() and secret.strip()):
                    raise BadInput(
                        "The setting BETTER_AUTH_SECRETS cannot be used.",
                        hint="It has a version, a colon and a secret, and a comma before the next:"
                        " 2:new-secret,1:old-secret.",
                    )
                self._keys[int(version)] = _key(secret.strip())

    def __repr__(self) -> str:
        return "Secrets(...)"

    def open(self, kept: str) -> tuple[str, Form]:
        """A token, and how it was kept. Raises NeedsHuman where no secret opens it."""
        form, digits = _form(kept)
        if not form.encrypted:
            return kept, form
        sealed = bytes.fromhex(digits)
        try:
            text = decrypt(self._secret(form), sealed[:NONCE], sealed[NONCE:])
            return text.decode(), form
        except (InvalidTag, ValueError):
            raise NeedsHuman(
                "A token that Better Auth has encrypted does not open.",
                hint=f"Set {_named(form)} to what the application has.",
            ) from None

    def seal(self, token: str, form: Form) -> str:
        """A token, kept in the same way. Raises NeedsHuman where its secret is not known."""
        if not form.encrypted:
            return token
        nonce = os.urandom(NONCE)
        digits = (nonce + encrypt(self._secret(form), nonce, token.encode())).hex()
        return digits if form.version is None else f"$ba${form.version}${digits}"

    def _secret(self, form: Form) -> bytes:
        key = self._keys.get(form.version)
        if key is None:
            which = "" if form.version is None else f" of version {form.version}"
            raise NeedsHuman(
                f"Better Auth encrypts its tokens, with a secret{which} that is not known here.",
                hint=f"Set {_named(form)} to what the application has.",
            )
        return key


def _form(kept: str) -> tuple[Form, str]:
    if found := _VERSIONED.fullmatch(kept):
        return Form(True, int(found[1])), found[2]
    # Tokens of Google and GitHub are not hex: neither has one that could be mistaken.
    return (Form(True), kept) if _HEX.fullmatch(kept) else (PLAIN, kept)


def _key(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _named(form: Form) -> str:
    return "BETTER_AUTH_SECRET" if form.version is None else "BETTER_AUTH_SECRETS"
