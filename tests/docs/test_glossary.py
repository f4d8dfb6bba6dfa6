"""One word for each idea: the glossary has each once, in order, with the numbers of the code."""

from __future__ import annotations

import re
from collections.abc import Callable

from headrace.engine import gather, jobs, sweep, sync
from headrace.http.policy import Policy
from headrace.model import metadata

PAGE = "docs/glossary.md"

NOUNS = {
    "Attempt", "Batch", "Checkpoint", "Connection", "Content", "Cursor", "Dead letter", "Envelope",
    "Epoch", "Fence", "Gathering", "Health", "Job", "Landing", "Leg", "Page", "Payload", "Priority",
    "Projection", "Provider", "Raw event", "Record", "Run", "Slice", "Source", "Spec", "Stage",
    "Stream", "Sweeper", "Takeover", "Tenant", "Turn", "Twin", "User", "Vault", "Version", "Walk",
    "Worker",
}  # fmt: skip


def test_every_noun_is_there_once_and_in_order(page: Callable[[str], str]) -> None:
    words = re.findall(r"^\*\*(.+?)\.\*\*", page(PAGE), re.MULTILINE)
    assert words == sorted(set(words), key=str.lower)
    assert set(words) >= NOUNS


def test_every_table_it_names_is_one(page: Callable[[str], str]) -> None:
    named = set(re.findall(r"[Tt]able\s+`(\w+)`", page(PAGE)))
    known = {table.name for table in metadata.tables.values()}
    assert named <= known
    assert known - named == {"api_keys"}


def test_numbers_are_those_of_the_code(page: Callable[[str], str]) -> None:
    text = " ".join(page(PAGE).split())
    assert (
        f"{gather.ROWS:,} records or {gather.BYTES >> 20} MiB, when {gather.SECONDS} seconds"
        in text
    )
    assert sweep.SWEEP_SECONDS == 10
    assert "every ten seconds" in text
    assert jobs.ATTEMPTS == 5
    assert "Five in a row" in text
    errors = " ".join(page("docs/reference/errors.md").split())
    first, most = jobs._BACKOFF_SECONDS  # at most; the least is half of it
    assert f"after {first // 2} to {most} seconds; the fifth failure" in errors
    spec = " ".join(page("docs/how-to/rest-spec.md").split())
    assert Policy().max_wait == 5
    assert "A wait of more than five seconds parks the job" in spec
    assert sync.SIDE_BY_SIDE == 4
    assert "Four of them are walked at the same time" in spec
