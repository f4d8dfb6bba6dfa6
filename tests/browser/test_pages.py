"""Every page there is, with data in it: light enough, for all, on any screen, without scripts.

A page that is added later is walked to by itself, and must be reached by a link.
"""

from __future__ import annotations

import pytest
from tests.browser import chromium, seen
from tests.browser.seen import Seen
from tests.browser.visitor import Visitor
from tests.browser.world import ACCOUNT, World

pytestmark = pytest.mark.timeout(600)  # a browser takes its time where others work

MOST_BYTES = 200_000
"""Of a page with its script, its sheet and its mark, when nothing of it is known yet."""


@pytest.fixture(scope="module")
def visitor(world: World, stranger: Visitor) -> Visitor:
    """Somebody who signed in by key, and whose accounts and documents are there."""
    stranger.open("/jobs").types("API key", world.key).presses("Sign in").sees("Process Jobs")
    stranger.open("/connect").ticks("Google calendar").presses("Go to Google").sees("Sources")
    world.upload("gravity.md", b"# Gravity\n\nWhat goes up comes down.\n")
    world.upload("broken.pdf", b"%PDF-1.7 and nothing else")
    config = {"input": "upload://", "vector_db": {"vector_db": "pgvector"}}
    world.ask("/ingestion/jobs", {"config": config})
    both = [{"kind": "google_gmail_sync", "connection": f"gmail:{ACCOUNT}"}] * 2
    graph = [{"key": "first", **both[0]}, {"key": "second", **both[1], "after": ["first"]}]
    stranger.awaits(world.rests, "the end of all jobs")
    world.ask("/api/jobs/graph", {"jobs": graph})
    stranger.awaits(world.rests, "the end of all jobs")
    hook = {"url": "https://app.example.com/headrace", "events": ["job.failed"]}
    world.ask("/api/webhooks", hook)
    return stranger


@pytest.fixture(scope="module")
def pages(visitor: Visitor) -> list[Seen]:
    """Each page, looked at once."""
    first = ["/search?q=jacket", "/calendar?since=2026-02-02", "/timeline"]
    return [seen.look(visitor, *where) for where in seen.walk(visitor, first)]


def test_every_page_is_reached_and_is_well(pages: list[Seen], visitor: Visitor) -> None:
    """None answers with an error, none complains in the browser."""
    assert {one.pattern for one in pages} == set(seen.patterns())
    assert {one.path: one.status for one in pages if one.status != 200} == {}
    assert not visitor.complaints()


def test_first_view(pages: list[Seen], capsys: pytest.CaptureFixture[str]) -> None:
    """Under 200 KB with everything that belongs to it; how soon is told, as machines differ."""
    with capsys.disabled():
        for one in sorted(pages, key=lambda one: -one.seconds)[:5]:
            print(f"\n{one.path}: {one.bytes / 1000:.0f} KB, {one.seconds:.2f} s", end="")
    assert max(one.bytes for one in pages) < MOST_BYTES


def test_rules_of_accessibility(pages: list[Seen]) -> None:
    """WCAG 2.2 A and AA, as far as a program can tell, in both schemes."""
    assert {one.path: one.light for one in pages if one.light} == {}
    assert {one.path: one.dark for one in pages if one.dark} == {}


def test_on_a_telephone(pages: list[Seen]) -> None:
    """Nothing scrolls sideways."""
    assert {one.path: one.broader for one in pages if one.broader} == {}


def test_by_keyboard(visitor: Visitor) -> None:
    """Past the navigation at the first press; to every control in its order, each to be seen."""
    visitor.open("/jobs").tabs()
    assert visitor.focused() == "To the content"
    visitor.enters()
    assert visitor.driver.current_url.endswith("#main")
    reached: list[str] = []
    while (name := visitor.tabs().focused()) and len(reached) < 200:
        assert visitor.outlined(), name
        reached.append(name)
    assert "Process Jobs" in reached
    assert reached.index("Process Jobs") < reached.index("Retry")
    visitor.open("/").tabs(until="Sync now").enters().sees("It is being brought up to date.")


def test_without_scripts(visitor: Visitor, pages: list[Seen]) -> None:
    """Every page says the same, and nothing on it is for show only."""
    chromium.scripts(visitor.driver, on=False)
    try:
        for one in pages:
            visitor.open(one.path)
            assert visitor.driver.title == one.title
            assert visitor.idle_controls() == [], one.path
    finally:
        chromium.scripts(visitor.driver, on=True)


def test_steering_without_scripts(world: World, visitor: Visitor) -> None:
    """Signed out and in, synced, searched, merged, sent by plain forms."""
    chromium.scripts(visitor.driver, on=False)
    try:
        visitor.open("/").presses("Sign out").types("API key", world.key).presses("Sign in")
        visitor.presses("Sync now").sees("It is being brought up to date.")
        visitor.follows("Jobs").presses("Process Jobs").sees("on its queue already")
        visitor.follows("Search").types("Words", "gravity").presses("Search").sees("comes down")
        visitor.follows("People").ticks("Grace Hopper").ticks("Ines Carvalho")
        visitor.presses("Merge those that are ticked").sees("They are one person now.")
    finally:
        chromium.scripts(visitor.driver, on=True)
