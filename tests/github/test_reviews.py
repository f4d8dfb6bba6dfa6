"""Reviews, which GitHub has no list of: they are asked for by pull request, as these change."""

from __future__ import annotations

import pytest
from tests.github.conftest import Open
from tests.github.hub import Hub

from headrace.github import recent
from headrace.twin.github.changes import OpenPull, SayReview

KINDS = {"kinds": ["reviews"]}


def pages(hub: Hub) -> int:
    """How many pages were landed."""
    [row] = hub.rows("SELECT sum(pages) AS n FROM headrace.batches")
    return int(row["n"])


async def test_issues_that_are_no_pull_requests_cost_no_pages(open_hub: Open) -> None:
    """Of a hundred issues on one page those are asked about that are pull requests."""
    hub = await open_hub(KINDS, issues=100)
    await hub.synced()
    assert hub.live() == hub.truth("reviews")
    assert (hub.calls("issues.list"), hub.calls("reviews.list")) == (1, 20)


async def test_no_page_asks_about_many_pull_requests(
    open_hub: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers H1: where a page has asked about enough of them, the next goes on."""
    monkeypatch.setattr(recent, "PULLS", 3)
    hub = await open_hub(KINDS, issues=100)
    await hub.synced()
    assert hub.live() == hub.truth("reviews")
    # At most three of the twenty a page, and of these those of the last second once more.
    assert pages(hub) >= 7


async def test_more_pull_requests_in_one_second_than_a_page_asks_about(
    open_hub: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers H2: all of that second, since nothing shorter gets on."""
    monkeypatch.setattr(recent, "PULLS", 3)
    hub = await open_hub(KINDS, issues=2)
    for _ in range(8):
        [made] = hub.change(OpenPull(repo="ada/repo-1"))
        hub.change(SayReview(repo="ada/repo-1", number=made["number"]))
    await hub.synced()
    assert hub.live() == hub.truth("reviews")
    assert len(hub.live()["1001/reviews"]) == 8
