"""Any sequence of commits leaves what a dozen lines of Python say, whichever way it came in."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.store.conftest import Desk

_numbers = count(1)

Commits = list[list[tuple[str, bytes]]]

commits = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([b"1", b"2", b""])), max_size=8),
    max_size=6,
)


def model(all_of_them: Commits) -> tuple[list[tuple[str, int, bytes]], list[int]]:
    """The versions there must be, and how many each commit brought."""
    versions: dict[str, list[bytes]] = {}
    inserted = []
    for commit in all_of_them:
        before = sum(len(known) for known in versions.values())
        for source_id, payload in commit:
            known = versions.setdefault(source_id, [])
            if not known or known[-1] != payload:
                known.append(payload)
        inserted.append(sum(len(known) for known in versions.values()) - before)
    rows = [
        (source_id, at, payload)
        for source_id, known in sorted(versions.items())
        for at, payload in enumerate(known, 1)
    ]
    return rows, inserted


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(commits=commits, straight=st.booleans(), anew=st.booleans())
def test_landing_is_what_the_model_says(
    desk: Desk, commits: Commits, straight: bool, anew: bool
) -> None:
    """Covers X9, R3, A1.17, A1.52: `straight` or through staging, one landing or one a commit."""
    part = desk.plan(f"stream {next(_numbers)}")[0]
    expected, counts = model(commits)
    landing = desk.landing(desk.claim(part), straight=straight)
    inserted = []
    for commit in commits:
        if anew:
            landing = desk.landing(desk.claim(part), straight=straight)
        landed = landing.land(desk.gathered(*(desk.record(*one) for one in commit)))
        assert landed.fetched == len(commit) == landed.inserted + landed.unchanged
        inserted.append(landed.inserted)
    assert inserted == counts
    assert (
        desk.rows(
            "SELECT source_id, version, payload FROM headrace.raw_events WHERE stream_id = %s"
            " ORDER BY 1, 2",
            part.stream_id,
        )
        == expected
    )
