"""XChaCha20-Poly1305 by the vectors of draft-irtf-cfrg-xchacha-03."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag

from headrace.oauth.xchacha import decrypt, encrypt, hchacha20

_KEY = bytes(range(0x80, 0xA0))
_NONCE = bytes(range(0x40, 0x58))
_BOUND = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
_TEXT = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future,"
    b" sunscreen would be it."
)
_SEALED = bytes.fromhex(
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda"
    "7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b23835"
    "65d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49"
)


def test_hchacha20_gives_the_drafts_key() -> None:
    """Section 2.2.1."""
    made = hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927"))
    assert made.hex() == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"


def test_the_drafts_text_is_sealed_and_opened() -> None:
    """Appendix A.3.1."""
    assert encrypt(_KEY, _NONCE, _TEXT, _BOUND) == _SEALED
    assert decrypt(_KEY, _NONCE, _SEALED, _BOUND) == _TEXT


@pytest.mark.parametrize("at", [0, 60, -1])
def test_what_was_changed_does_not_open(at: int) -> None:
    changed = bytearray(_SEALED)
    changed[at] ^= 1
    with pytest.raises(InvalidTag):
        decrypt(_KEY, _NONCE, bytes(changed), _BOUND)
