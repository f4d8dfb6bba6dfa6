"""The door: a job of a kind that nobody does is refused before it is a row (API, CLI, streams)."""

from __future__ import annotations

from typing import Final

from headrace.plugins import provider_of_kind

SOURCELESS: Final = ("dead_letter_retry", "extract_contacts", "insight", "replay")
"""Kinds of jobs that fetch nothing; each has a module of its own that makes and does them."""


def check(kind: str) -> None:
    """Raises BadInput, `Unknown job kind: ...`, with the nearest kind there is."""
    if kind not in SOURCELESS:
        provider_of_kind(kind)
