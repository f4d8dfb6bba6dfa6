"""Who sent it: the account's owner or somebody else (A1.39)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from headrace.mail.labels import means_sent

_SEPARATOR = re.compile(r"[/\\.!]+")
_ENDINGS = {"mbox", "mbx", "sbd", "gz", "txt"}


def direction_of(
    sender: str | None, labels: Iterable[str], folder: str, own: frozenset[str]
) -> str | None:
    """`outbound`, `inbound`, or None where nothing tells.

    Outbound: from one of the account's own addresses, or labelled or filed as sent. Inbound is
    what remains, provided that anything could have shown the opposite: own addresses are known,
    or the mail bears Gmail's labels.
    """
    if is_own(sender, own):
        return "outbound"
    labels = list(labels)
    if any(means_sent(label) for label in labels) or _sent_folder(folder):
        return "outbound"
    return "inbound" if own or labels else None


def is_own(address: str | None, own: frozenset[str]) -> bool:
    """Whether an address is the account's own."""
    return address is not None and bool(own) and canonical(address) in _canonical_all(own)


def canonical(address: str) -> str:
    """The address without what its owner can add to it at will: `+tag`, and dots at Gmail."""
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


@lru_cache(maxsize=256)
def _canonical_all(own: frozenset[str]) -> frozenset[str]:
    return frozenset(canonical(address) for address in own)


@lru_cache(maxsize=1024)
def _sent_folder(stream: str) -> bool:
    """Whether a stream's name ends in a folder for sent mail: `Sent`, `INBOX.Sent`, `Sent.mbox`."""
    return means_sent(last_folder(stream))


def last_folder(stream: str) -> str:
    """The folder that a stream's name ends in, without the endings of files."""
    parts = [part for part in _SEPARATOR.split(stream) if part]
    while parts and parts[-1].lower() in _ENDINGS:
        parts.pop()
    return parts[-1] if parts else ""
