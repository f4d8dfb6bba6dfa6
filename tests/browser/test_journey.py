"""From the link that `headrace up` prints to one's own mail: what a person does in a browser."""

from __future__ import annotations

import pytest
from tests.browser.visitor import Visitor
from tests.browser.world import ACCOUNT, World, letter

pytestmark = pytest.mark.timeout(300)  # a browser takes its time where others work

SOURCE = f"gmail:{ACCOUNT}"
REFUSED = {"on": {"call": "messages.get"}, "do": {"kind": "answer", "status": 400}}
SLOW = {"on": {"call": "history.list"}, "do": {"kind": "delay", "ms": 6000}}


@pytest.fixture(scope="module")
def visitor(world: World, stranger: Visitor) -> Visitor:
    """Somebody who came by the link, connected their account, and watched the first sync."""
    stranger.open(world.link).presses("Open Headrace").sees("Nothing is connected yet.")
    world.wrong(SLOW)
    stranger.open("/connect").presses("Go to Google")
    stranger.sees("Sources", SOURCE).follows("Being brought up to date")
    stranger.sees("Priority").marks()
    stranger.sees("running", "39 of 40")
    world.wrong()
    stranger.sees("succeeded", "normalize google email")
    assert stranger.stayed()
    return stranger


def test_connected_synced_and_watched(world: World, visitor: Visitor) -> None:
    """The account's mail is there, and the page said so by itself."""
    visitor.open("/").sees(SOURCE, "active", "just now")
    assert world.ask("/api/connections")["items"][0]["records"] == 39  # one of 40 is in the trash
    assert not visitor.complaints()


def test_failed_and_retried(world: World, visitor: Visitor) -> None:
    """What went wrong is said in words, beside the button that mends it."""
    world.wrong(REFUSED)
    world.deliver(letter("Grace Hopper <grace@navy.example>", "A bug", "It was a moth.", 1))
    visitor.open("/").presses("Sync now").sees("It is being brought up to date.", "failed")
    visitor.sees("127.0.0.1 refused the request", "Check the parameters that the API expects.")
    visitor.open("/").sees("error", "127.0.0.1 refused the request")
    world.wrong()
    visitor.presses("Retry").sees("It is being brought up to date.").marks()
    visitor.sees("succeeded")
    assert visitor.stayed()
    visitor.open("/").sees("active")
    visitor.follows("Search").types("Words", "moth").presses("Search").sees("A bug")


def test_found(world: World, visitor: Visitor) -> None:
    """From words to a message to where it comes from; its subject is text, whatever it says."""
    subject = "<b>Orbits</b> <script>alert(1)</script>"
    world.deliver(letter("Johannes <kepler@graz.example>", subject, "An ellipse, I say.", 2))
    visitor.open("/").presses("Sync now").sees("succeeded", "embed interactions 1 of 1")
    visitor.follows("Search").types("Words", "ellipse").presses("Search").sees(subject)
    visitor.follows(subject).sees("An ellipse, I say.")
    visitor.follows("Why is this here?").sees("google_gmail", SOURCE)
    assert not visitor.complaints()


def test_merged_and_parted(world: World, visitor: Visitor) -> None:
    """Two people are made one, and are two again."""
    first, second = "Grace Hopper", "Ines Carvalho"
    visitor.follows("People").sees(first, second)
    visitor.ticks(first).ticks(second).presses("Merge those that are ticked")
    visitor.sees("They are one person now.", "grace@navy.example", "ines@porto.example")
    visitor.ticks("ines@porto.example").presses("Those that are ticked are somebody else")
    visitor.sees("They are two people now.", "ines@porto.example")
    assert "grace@navy.example" not in visitor.listed("Identities")
    visitor.follows("People").sees(first, second)


def test_new_rows_wait(world: World, visitor: Visitor) -> None:
    """Nothing moves under the mouse: what is new waits until it is let in, and a box that was
    ticked stays so."""
    visitor.open("/jobs").sees("succeeded")
    rows = visitor.rows("jobs")
    visitor.marks()
    visitor.ticks(f"Job {rows[0].removeprefix('job-')}")
    world.ask("/api/gmail/sync", {})
    visitor.sees("1 new")
    visitor.awaits(world.rests, "the end of the job")
    assert visitor.rows("jobs") == rows
    visitor.presses("1 new")
    assert visitor.awaits(lambda: visitor.rows("jobs")[1:] == rows, "the new row above the others")
    assert visitor.ticked(f"Job {rows[0].removeprefix('job-')}")
    assert visitor.stayed()


def test_boxes_stay_ticked(world: World, visitor: Visitor) -> None:
    """Whatever comes and goes above them."""
    visitor.open("/contacts").ticks("Grace Hopper").marks()
    world.deliver(
        letter("Emmy Noether <emmy.noether@goettingen.example>", "Rings", "A ring.", 3),
        letter("Emmy Noether <emmy.noether@brynmawr.example>", "Fields", "A field.", 4),
    )
    world.ask("/api/gmail/sync", {})
    visitor.sees("These may be one person", "emmy.noether@brynmawr.example")
    [asked] = world.ask("/api/contacts/suggestions")["items"]
    world.ask(f"/api/contacts/suggestions/{asked['link_id']}/dismiss", {})
    visitor.awaits(lambda: "These may be one person" not in visitor.text, "the answer")
    assert visitor.ticked("Grace Hopper")
    assert visitor.stayed()


def test_typing_is_left_alone(world: World, visitor: Visitor) -> None:
    """A page that moves does not touch the field that somebody is in, and goes on afterwards."""
    visitor.open("/").presses("Sync now").sees("succeeded")
    visitor.marks()
    visitor.driver.execute_script(
        "document.querySelector('#live h1').insertAdjacentHTML("
        "'afterend', '<textarea aria-label=\"Remark\"></textarea>')"
    )
    visitor.types("Remark", "half a")
    job = visitor.path.removeprefix("/jobs/")
    world.execute("UPDATE headrace.jobs SET last_error = 'It is odd.' WHERE job_id = %s", job)
    visitor.hears("It is odd.")
    assert visitor.value("Remark") == "half a"
    visitor.tabs().sees("It is odd.")
    assert visitor.stayed()


def test_process_jobs(visitor: Visitor) -> None:
    """Covers A3.29, A3.30: it says what it does, and what came of it."""
    visitor.open("/jobs").presses("Process Jobs")
    visitor.sees("Everything that waits was on its queue already.")
