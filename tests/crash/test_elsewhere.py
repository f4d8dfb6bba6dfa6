"""Workers on another machine: neighbours see nothing of them but their lock and their silence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from benchmarks.elsewhere import missing
from benchmarks.takeover import KINDS, RECORDS, WRONG, Bench, one_round
from tests.crash.rounds import ROUNDS, rounds

if TYPE_CHECKING:
    from tests.crash.tally import Tally

SOON, SILENT = 5.0, 15.0
"""A killed one's jobs go on at once; one that hangs or is cut off is given ten seconds. The rest is
for machines with something else to do."""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    if why := missing():
        pytest.skip(f"NOT SHOWN HERE: takeover from another machine, for {why}")
    with ExitStack() as stack:
        yield Bench(stack, 8)


@pytest.mark.parametrize("kind", KINDS if ROUNDS else ["kill-elsewhere", "partition"])
def test_its_jobs_go_on_here(bench: Bench, tally: Tally, kind: str) -> None:
    """Covers A2.34, A2.41, A4.16: a network and processes of its own. It is killed, or not a packet
    passes while its sockets stay; when they pass again, it has written nothing, and ends."""
    for _ in rounds(1, 20):
        took = one_round(bench, kind)
        assert all(taken < (SOON if "kill" in kind else SILENT) for taken, _ in took)
        tally.takeovers += [on for _, on in took]
        tally.kills += 1
        tally.rounds += 1
    assert bench.ask(WRONG, {"wanted": RECORDS}) == [{"lost": 0, "doubled": 0, "late": 0}]
