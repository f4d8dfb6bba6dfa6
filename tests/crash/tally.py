"""What the rounds came to: one line a scenario, printed at the end of the run."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

import msgspec

_HEAD = (
    "scenario", "rounds", "kills", "records", "pages again", "most a kill", "lost", "doubled",
    "takeover s (p50 / max)",
)  # fmt: skip


class Tally(msgspec.Struct):
    """The counts of one scenario. `again` is how many pages were fetched twice, `most` the most
    that one kill cost; `takeovers` are seconds from a kill to the next commit by somebody else."""

    name: str
    rounds: int = 0
    kills: int = 0
    records: int = 0
    again: int = 0
    most: int = 0
    lost: int = 0
    doubled: int = 0
    takeovers: list[float] = []

    def row(self) -> tuple[str, ...]:
        times = "-"
        if self.takeovers:
            times = f"{statistics.median(self.takeovers):.1f} / {max(self.takeovers):.1f}"
        numbers = (self.rounds, self.kills, self.records, self.again, self.most)
        return (self.name, *(f"{n:,}" for n in (*numbers, self.lost, self.doubled)), times)


def table(tallies: Iterable[Tally]) -> str:
    """A Markdown table of the tallies, with a line of sums."""
    tallies = list(tallies)
    total = Tally("all")
    for one in tallies:
        for name in ("rounds", "kills", "records", "again", "lost", "doubled"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        total.most = max(total.most, one.most)
        total.takeovers = total.takeovers + one.takeovers
    lines = [_HEAD, *(one.row() for one in (*tallies, total))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)
