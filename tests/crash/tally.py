"""What the rounds came to: one line a scenario, printed at the end of the run."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

import msgspec

_HEAD = (
    "scenario", "rounds", "kills", "records", "pages again", "most a kill", "lost", "doubled",
    "takeover s (p50 / max)", "resume s (p50 / max)",
)  # fmt: skip


class Tally(msgspec.Struct):
    """The counts of one scenario. `again` is how many pages were fetched twice, `most` the most
    that one kill cost; `takeovers` are seconds from a kill to the next commit by somebody else,
    `resumes` from the start of the same command to its first request."""

    name: str
    rounds: int = 0
    kills: int = 0
    records: int = 0
    again: int = 0
    most: int = 0
    lost: int = 0
    doubled: int = 0
    takeovers: list[float] = []
    resumes: list[float] = []

    def row(self) -> tuple[str, ...]:
        numbers = (self.rounds, self.kills, self.records, self.again, self.most)
        counts = [f"{number:,}" for number in (*numbers, self.lost, self.doubled)]
        return (self.name, *counts, _spread(self.takeovers), _spread(self.resumes))


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    return f"{statistics.median(seconds):.1f} / {max(seconds):.1f}"


def table(tallies: Iterable[Tally]) -> str:
    """A Markdown table of the tallies, with a line of sums."""
    tallies = list(tallies)
    total = Tally("all")
    for one in tallies:
        for name in ("rounds", "kills", "records", "again", "lost", "doubled"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        total.most = max(total.most, one.most)
    lines = [_HEAD, *(one.row() for one in (*tallies, total))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)
