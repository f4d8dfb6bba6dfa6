"""What was sealed opens in its own row and nowhere else."""

from __future__ import annotations

import pytest

from headrace.errors import BadInput, NeedsHuman
from headrace.vault import Vault

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
SECRET = "1//refresh-tökén"


def test_it_opens_what_it_sealed() -> None:
    vault = Vault(NEW)
    envelope = vault.seal(SECRET, tenant="acme", connection="c1")
    assert vault.open(envelope, tenant="acme", connection="c1") == SECRET
    assert SECRET.encode() not in envelope


def test_sealing_twice_gives_different_envelopes() -> None:
    first, second = (Vault(NEW).seal("", tenant="acme", connection="c1") for _ in range(2))
    assert first != second
    assert len(first) == len(second) == 1 + 8 + 12 + 16


@pytest.mark.parametrize(
    ("tenant", "connection"),
    [
        ("other", "c1"),
        ("acme", "c2"),
        ("c1", "acme"),
        ("acmec", "1"),
        ("acm", "ec1"),
        ("", "acmec1"),
    ],
)
def test_an_envelope_in_another_row_does_not_open(tenant: str, connection: str) -> None:
    """Covers Tokens."""
    envelope = Vault(NEW).seal(SECRET, tenant="acme", connection="c1")
    with pytest.raises(NeedsHuman, match="belong to another connection") as caught:
        Vault(NEW).open(envelope, tenant=tenant, connection=connection)
    assert caught.value.reauth
    assert SECRET not in str(caught.value)


def test_no_byte_can_be_changed_and_none_taken_away() -> None:
    """Covers Tokens."""
    vault = Vault(NEW)
    envelope = vault.seal(SECRET, tenant="acme", connection="c1")
    for place in range(len(envelope)):
        changed = bytearray(envelope)
        changed[place] ^= 1
        with pytest.raises(NeedsHuman):
            vault.open(bytes(changed), tenant="acme", connection="c1")
        with pytest.raises(NeedsHuman):
            vault.open(envelope[:place], tenant="acme", connection="c1")


def test_keys_rotate() -> None:
    """Covers Tokens."""
    before = Vault(OLD).seal(SECRET, tenant="acme", connection="c1")
    both = Vault(NEW, OLD)
    assert both.open(before, tenant="acme", connection="c1") == SECRET
    assert not both.is_current(before)

    after = both.seal(SECRET, tenant="acme", connection="c1")
    assert both.is_current(after)
    assert Vault(NEW).open(after, tenant="acme", connection="c1") == SECRET
    with pytest.raises(NeedsHuman, match="not known here") as caught:
        Vault(NEW).open(before, tenant="acme", connection="c1")
    assert "HEADRACE_SECRET_KEY" in caught.value.hint


@pytest.mark.parametrize("keys", [(), (b"short",), (NEW, b"x" * 33)])
def test_a_key_of_another_length_is_refused(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(BadInput, match="32 bytes"):
        Vault(*keys)
