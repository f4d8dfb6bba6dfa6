"""XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), of what `cryptography` has of ChaCha20."""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

KEY, NONCE, TAG = 32, 24, 16
"""Bytes of a key, of a nonce, and of what proves that nothing was changed."""

_CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")


def encrypt(key: bytes, nonce: bytes, text: bytes, bound: bytes = b"") -> bytes:
    """The ciphertext with its tag behind it."""
    return _cipher(key, nonce).encrypt(_rest(nonce), text, bound)


def decrypt(key: bytes, nonce: bytes, sealed: bytes, bound: bytes = b"") -> bytes:
    """The text. Raises cryptography's InvalidTag for another key, and for what was changed."""
    return _cipher(key, nonce).decrypt(_rest(nonce), sealed, bound)


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """A key of its own for a nonce of 16 bytes. A block of ChaCha20's keystream is its state after
    the rounds plus the state before: taken off again, what HChaCha20 gives is left (draft, 2.2)."""
    block = Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(bytes(64))
    words = struct.unpack("<16I", block)
    before = (*_CONSTANTS, *struct.unpack("<4I", nonce))
    after = zip((*words[:4], *words[12:]), before, strict=True)
    return struct.pack("<8I", *((word - start) & 0xFFFF_FFFF for word, start in after))


def _cipher(key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(hchacha20(key, nonce[:16]))


def _rest(nonce: bytes) -> bytes:
    return bytes(4) + nonce[16:]
