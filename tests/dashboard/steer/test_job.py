"""One job that a real engine has run: its steps and their times, its log, its dead letters."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.api.conftest import House
from tests.dashboard.serving import awaited

from headrace import telemetry
from headrace.engine import keeping
from headrace.engine.runtime import engine
from headrace.logs import kept
from headrace.provider import Record
from headrace.settings import Settings
from headrace.store import job_lines

if TYPE_CHECKING:
    from tests.dashboard.steer.conftest import Browser


def wait_for(house: House, job_id: str) -> None:
    """Until the job is over, and the engine has written down that its turn is."""
    over = "SELECT 1 FROM dbos.workflow_status WHERE workflow_uuid = %s AND completed_at > 0"
    awaited(lambda: house.execute(over, job_id))


@pytest.fixture(scope="module")
def ran(house: House) -> str:
    """A job that has been run by an engine."""
    client = house.client("ran")
    made = client.post("/api/jobs", json={"kind": "extract_contacts"})
    assert made.status_code == 202, made.text
    job_id = str(made.json()["job_id"])
    with engine(house.store.url, Settings(_env_file=None)):
        wait_for(house, job_id)
    return job_id


def test_steps_and_times_are_shown(house: House, browser: Browser, ran: str) -> None:
    text = browser("ran").get(f"/jobs/{ran}").text
    steps = re.search(r'id="steps".*?</section>', text, re.DOTALL)
    assert steps is not None
    for step in ("begin", "work", "conclude"):
        assert f"<td>{step}</td>" in steps[0]
    assert re.search(r'<td class="number">[\d.]+ m?s</td>', steps[0])
    assert "success" in steps[0]


def test_what_the_log_said_of_it_is_kept(house: House, browser: Browser, ran: str) -> None:
    """The run's line, whatever the log's level is; and only its own tenant sees it."""
    text = browser("ran").get(f"/jobs/{ran}").text
    log = re.search(r'id="log".*?</section>', text, re.DOTALL)
    assert log is not None
    assert "<td>run<" in log[0]
    assert "timedOut" in log[0]
    assert browser("strangers").get(f"/jobs/{ran}").status_code == 404
    with house.store.people("strangers", None) as session:
        assert job_lines.of_job(session, ran) == []


def test_of_each_job_the_newest_lines_are_kept(house: House) -> None:
    noisy, quiet, gone = (house.job("ann", "noisy") for _ in range(3))
    house.execute("DELETE FROM headrace.jobs WHERE job_id = %s", gone)
    keeper = keeping.Keeper(house.store)
    keeper.start()
    with telemetry.of_job(quiet):
        telemetry.asked_again("Too many requests.", 1, 2.0)
    with telemetry.of_job(gone):
        telemetry.asked_again("Too many requests.", 1, 2.0)
    for number in range(job_lines.MOST + 50):
        telemetry.notified(noisy, "w", f"t{number}")
    keeper.stop()
    telemetry.notified(noisy, "w", "said when nobody keeps it")
    with house.store.people("noisy", "ann") as session:
        kept = job_lines.of_job(session, noisy)
        assert len(kept) == job_lines.MOST
        assert kept[0]["facts"] == {"workflow": "w", "topic": f"t{job_lines.MOST + 49}"}
        [line] = job_lines.of_job(session, quiet)
    assert (line["event"], line["level"]) == ("asked_again", "info")
    assert line["facts"]["why"] == "Too many requests."
    [left] = house.execute("SELECT count(*) AS n FROM headrace.job_lines WHERE job_id = %s", gone)
    assert left["n"] == 0


def test_a_line_keeps_no_other_from_being_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sources say anything, NUL as well; and of what cannot be written it is said once."""
    odd, bad, good = (house.job("ann", "odd") for _ in range(3))
    keeper = keeping.Keeper(house.store)
    bugs: list[str] = []
    monkeypatch.setattr(telemetry, "bug", lambda where, _error: bugs.append(where))
    keeper.start()
    with telemetry.of_job(odd):
        telemetry.asked_again("It said \0 and \ud800.", 1, 2.0)
    awaited(lambda: said_of(house, odd))
    for hear in tuple(kept._keepers):
        hear(telemetry.Line(bad, datetime.now(UTC), "info", "\0", {}))
    awaited(lambda: bugs)
    with telemetry.of_job(good):
        telemetry.asked_again("Too many requests.", 1, 2.0)
    keeper.stop()
    assert [line["facts"]["why"] for line in said_of(house, odd)] == ["It said  and \ufffd."]
    assert (len(said_of(house, good)), said_of(house, bad), bugs) == (1, [], ["job-lines"])


def said_of(house: House, job_id: str) -> list[dict[str, Any]]:
    with house.store.people("odd", "ann") as session:
        return job_lines.of_job(session, job_id)


def test_a_bug_is_kept_without_its_words(house: House) -> None:
    """What an exception says may be anything, a secret of somebody else's among it."""
    heard: list[telemetry.Line] = []
    forget = telemetry.keep(heard.append)
    with telemetry.of_job("j1"):
        telemetry.bug("leg", ValueError("hunter2"))
    telemetry.bug("leg", ValueError("of no job"))
    forget()
    assert [line.facts for line in heard] == [{"where": "leg", "error": "ValueError"}]


def test_its_dead_letters_stand_with_it(house: House, browser: Browser) -> None:
    stream = house.stream(house.connection("ann", "dead"))
    number = house.letter(stream, source_id="<b>e1</b>", reason="It is <i>broken</i>.")
    job = house.job("ann", "dead")
    house.execute(
        "UPDATE headrace.dead_letters SET job_id = %s WHERE dead_letter_id = %s", job, number
    )
    text = browser("dead").get(f"/jobs/{job}").text
    assert f'<a href="/dead-letters/{number}">&lt;b&gt;e1&lt;/b&gt;</a>' in text
    assert "It is &lt;i&gt;broken&lt;/i&gt;." in text


def test_progress_says_percentage_rate_and_what_is_left(house: House, browser: Browser) -> None:
    """The page and the API say the same of a job that runs."""
    client = house.client("going")
    source = house.connection("ann", "going")
    stream = house.stream(source)
    job = house.job("ann", "going", connection_id=source)
    house.land(stream, *(Record(f"e{n}", b"{}") for n in range(30)), job=job)
    house.execute("UPDATE headrace.streams SET total = 120 WHERE stream_id = %s", stream)
    house.execute(
        "UPDATE headrace.jobs SET status = 'RUNNING', started_at = now() - interval '10 s'"
        " WHERE job_id = %s",
        job,
    )
    said = client.get(f"/api/jobs/{job}").json()["progress"]
    assert (said["share"], said["total"]) == (0.25, 120)
    assert 0 < said["per_second"] <= 3
    assert said["seconds_left"] == pytest.approx(90 / said["per_second"], rel=0.2)
    text = browser("going").get(f"/jobs/{job}").text
    assert re.search(r"25 %: 30 of 120, [23] a second, \d+ seconds left", text)
