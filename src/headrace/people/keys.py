"""What another identity of the same person would share: how candidates are found without comparing
each with each."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from headrace.people.addresses import spellings
from headrace.people.likeness import Identity

_HANDLE = 6


def match_keys(tenant: str, user: str, one: Identity) -> list[int]:
    """Hashes of all of them; the owner is in the hash, so that nobody meets another's."""
    owner = f"{len(tenant)}:{tenant}{user}\0".encode()
    return sorted(
        {
            int.from_bytes(blake2b(owner + key.encode(), digest_size=8).digest(), signed=True)
            for key in _keys(one)
        }
    )


def _keys(one: Identity) -> Iterator[str]:
    yield f"is:{one.certain}"
    name, local = one.called, one.local
    if name.full:
        yield f"name:{name.key}"
        yield f"sound:{name.skeleton}"
    if one.kind == "phone" or local.role or name.role:
        return
    if len(local.letters) >= _HANDLE:
        yield f"handle:{''.join(sorted(local.parts))}{local.digits}"
    if one.domain is not None:
        words = {local.letters, *local.parts, *name.tokens, *(word for _, word in spellings(name))}
        yield from (f"at:{one.domain}:{word}" for word in words if len(word) > 1)
