"""Credentials, sealed at rest: AES-256-GCM, bound to the row they belong to.

An envelope is bytes, for a `bytea` column:

    version 1 | key id 8 | nonce 12 | ciphertext and tag (as long as the secret, plus 16)

Tenant and connection are not in it but are part of what the tag proves: an envelope that was
copied into another row does not open there. Several keys may be known at once; the newest seals,
all of them open, so that a key is changed by putting a new one in front.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headrace.errors import BadInput, NeedsHuman
from headrace.logs.secrets import hide_sealed
from headrace.settings import Settings

_VERSION = b"\x01"
_KEY, _ID, _NONCE = 32, 8, 12  # bytes
_HEADER = len(_VERSION) + _ID
_FILE = "secret.key"
_MAKE_ONE = 'Make one with: python3 -c "import secrets; print(secrets.token_hex(32))"'


class Vault:
    """Seals and opens credentials with `keys` of 32 bytes each, newest first. `again` reads the
    keys anew: it is asked when an envelope names one that is not known."""

    def __init__(self, *keys: bytes, again: Callable[[], list[bytes]] | None = None) -> None:
        if not keys or any(len(key) != _KEY for key in keys):
            raise BadInput(f"A key that seals credentials has {_KEY} bytes.", hint=_MAKE_ONE)
        self._again = again
        self._know(keys)

    def _know(self, keys: Sequence[bytes]) -> None:
        self._keys = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])

    @classmethod
    def from_settings(cls, settings: Settings) -> Vault:
        """With the keys of HEADRACE_SECRET_KEY, or of `secret.key` in HEADRACE_HOME.

        Both hold one key or several, newest first, separated by commas or white space. The file
        is made at the first use. Raises BadInput for keys or a file that cannot be used.
        """
        if settings.headrace_secret_key is not None:
            text = settings.headrace_secret_key.get_secret_value()
            return cls(*_parse(text, "The setting HEADRACE_SECRET_KEY"))
        path = settings.headrace_home / _FILE

        def read() -> list[bytes]:
            return _parse(_read_or_make(path), f"What {path} holds")

        try:
            return cls(*read(), again=read)
        except OSError as error:
            raise BadInput(
                f"The key in {path} cannot be read or made: {error.strerror}.",
                hint="Give Headrace's account the file, or set HEADRACE_SECRET_KEY.",
            ) from error

    def seal(self, plaintext: str, *, tenant: str, connection: str) -> bytes:
        """Encrypt a connection's credentials with the newest key."""
        hide_sealed(plaintext)
        if self._again is not None:
            # Whoever rotates waits a moment for those who have just sealed, and not for ever.
            self._know(self._again())
        header, nonce = self.header, os.urandom(_NONCE)
        bound = _bound(header, tenant, connection)
        sealed = self._keys[self._newest].encrypt(nonce, plaintext.encode(), bound)
        return header + nonce + sealed

    def open(self, envelope: bytes, *, tenant: str, connection: str) -> str:
        """Decrypt what `seal` made for the same tenant and connection.

        Raises NeedsHuman when the key is not known (any more), and when the envelope was changed
        or belongs to another connection.
        """
        header, nonce = envelope[:_HEADER], envelope[_HEADER : _HEADER + _NONCE]
        key = self._keys.get(header[len(_VERSION) :])
        if key is None and self._again is not None:
            # The key was changed while this process ran.
            self._know(self._again())
            key = self._keys.get(header[len(_VERSION) :])
        if not header.startswith(_VERSION) or key is None:
            raise NeedsHuman(
                f"The credentials of connection {connection} were sealed with a key that is not "
                "known here.",
                hint="Set the same HEADRACE_SECRET_KEY on every machine, older keys after the "
                "newest; or connect again.",
            )
        try:
            bound = _bound(header, tenant, connection)
            opened = key.decrypt(nonce, envelope[_HEADER + _NONCE :], bound).decode()
        except (InvalidTag, ValueError):
            raise NeedsHuman(
                f"The credentials of connection {connection} were damaged or belong to another "
                "connection.",
                hint="Connect again.",
                reauth=True,
            ) from None
        hide_sealed(opened)
        return opened

    def is_current(self, envelope: bytes) -> bool:
        """Whether the newest key sealed it; if not, sealing anew lets an old key be retired."""
        return envelope.startswith(self.header)

    @property
    def header(self) -> bytes:
        """What everything begins with that the newest key seals."""
        return _VERSION + self._newest


def new_key(settings: Settings) -> None:
    """Put a new key in front of those in the data folder's file. Processes that run learn of it
    when they meet the first envelope that it has sealed. Raises BadInput."""
    path = settings.headrace_home / _FILE
    old = _read_or_make(path).split()
    _parse(" ".join(old), f"What {path} holds")
    _replace(path, [secrets.token_hex(_KEY), *old])


def retire_keys(settings: Settings) -> None:
    """Keep only the newest key of the data folder's file. The others go into a file beside it, for
    backups from before."""
    path = settings.headrace_home / _FILE
    newest, *old = _read_or_make(path).split()
    retired = path.with_name(f"{_FILE}.retired")
    before = _read_or_make(retired).split() if retired.exists() else []
    _replace(retired, [*old, *before])
    _replace(path, [newest])


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"headrace key id" + key).digest()[:_ID]


def _bound(header: bytes, tenant: str, connection: str) -> bytes:
    """What the tag covers besides the text. The length keeps ("ab", "c") and ("a", "bc") apart."""
    first = tenant.encode()
    return header + len(first).to_bytes(4, "big") + first + connection.encode()


def _parse(text: str, where: str) -> list[bytes]:
    """Keys from hex or base64. A passphrase is refused: a guess at it would open everything."""
    keys = [_decoded(word) for word in text.replace(",", " ").split()]
    if not keys or any(len(key) != _KEY for key in keys):
        raise BadInput(
            f"{where} must be {_KEY} bytes in hex or base64, or several such keys.", hint=_MAKE_ONE
        )
    return keys


def _decoded(word: str) -> bytes:
    try:
        if len(word) == 2 * _KEY:
            return bytes.fromhex(word)
        plain = word.rstrip("=").replace("-", "+").replace("_", "/")  # either of its alphabets
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return b""


def _read_or_make(path: Path) -> str:
    """What the key file says. Many processes may make it at once: all read the first one's."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{_FILE}.{secrets.token_hex(8)}")
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, f"{secrets.token_hex(_KEY)}\n".encode())
            os.fsync(file)
            os.link(part, path)  # whole or not at all, and never over another's
        except FileExistsError:
            pass
        finally:
            os.close(file)
            part.unlink()
        _sync_folder(path.parent)
    if path.stat().st_mode & 0o077:
        raise BadInput(
            f"The key in {path} can be read by other accounts.", hint=f"Close it: chmod 600 {path}"
        )
    return path.read_text(encoding="ascii", errors="replace")


def _replace(path: Path, keys: Sequence[str]) -> None:
    """Write the file so that it is the old one or the new one, whatever happens."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, "".join(f"{key}\n" for key in keys).encode())
        os.fsync(file)
    finally:
        os.close(file)
    part.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A key that a power cut takes away takes everything it sealed with it."""
    entries = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entries)
    finally:
        os.close(entries)
