"""The list of jobs: what its address narrows it to, and what is done to many of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.api.conftest import House

from headrace.store import jobs as store

if TYPE_CHECKING:
    from tests.dashboard.steer.conftest import Browser

    from headrace.store.database import Connection


def shown(answer: str) -> list[str]:
    """The jobs of a page, in their order."""
    return re.findall(r'<tr id="job-([^"]+)"', answer)


def told(answer: str) -> str:
    """What the action before this page has to say."""
    found = re.search(r'<p class="notice good" role="status">(.*?)</p>', answer)
    return found[1] if found else ""


def status(house: House, job_id: str) -> str:
    [row] = house.execute("SELECT status FROM headrace.jobs WHERE job_id = %s", job_id)
    return str(row["status"])


def end(house: House, job_id: str, ended: str) -> None:
    house.execute(
        "UPDATE headrace.jobs SET status = %s, started_at = now(), completed_at = now()"
        " WHERE job_id = %s",
        *(ended, job_id),
    )


def test_the_address_narrows_the_list(house: House, browser: Browser) -> None:
    """Covers A3.42."""
    shop, other = (house.connection("ann", "narrow", name) for name in ("shop", "other"))
    old = house.job("ann", "narrow", connection_id=shop)
    end(house, old, "FAILED")
    house.execute(
        "UPDATE headrace.jobs SET created_at = now() - interval '3 days' WHERE job_id = %s", old
    )
    new = house.job("ann", "narrow", connection_id=shop)
    apart = house.job("ann", "narrow", connection_id=other)
    replay = house.job("ann", "narrow", kind="replay")
    ann = browser("narrow")
    for asked, wanted in {
        "": [replay, apart, new, old],
        "?status=FAILED": [old],
        "?status=failed": [old],
        "?kind=replay": [replay],
        "?source=shop": [new, old],
        f"?source={other}": [apart],
        "?since=24h": [replay, apart, new],
        "?since=2+days&source=shop": [new],
        "?since=2020-01-01&status=FAILED": [old],
        "?status=RUNNING": [],
    }.items():
        answer = ann.get(f"/jobs{asked}")
        assert (answer.status_code, shown(answer.text)) == (200, wanted), asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("status=FALIED", "There is no status &#39;FALIED&#39;. Did you mean FAILED?"),
        ("kind=reply", "Unknown job kind: reply Did you mean replay?"),
        ("since=yesterday", "&#39;yesterday&#39; is no date. Write one as 2026-11-23, or how long"),
        ("source=%3Cb%3E", "There is no source &#39;&lt;b&gt;&#39;."),
        ("source=a%00b", "There is no source"),
        ("after=nonsense", "This cursor is not one of ours."),
    ],
)
def test_what_cannot_be_read_is_said_on_the_page(
    house: House, browser: Browser, asked: str, said: str
) -> None:
    """In words, in the place of jobs that were not meant; and it stays in the form."""
    house.job("ann", "wrong")
    answer = browser("wrong").get(f"/jobs?{asked}")
    assert answer.status_code == 200
    assert said in answer.text
    assert shown(answer.text) == []
    assert "Nothing is shown." in answer.text


def test_many_are_cancelled_retried_and_run_at_once(house: House, browser: Browser) -> None:
    """Covers A3.42."""
    ann = browser("many")
    made = [house.job("ann", "many") for _ in range(3)]
    foreign = house.job("zoe", "others")
    form = {"act": "cancel", "job": [*made[:2], foreign], "status": "PENDING"}
    done = ann.post("/jobs/several", data=form)
    assert told(done.text).startswith("Cancelled: 2 of 3 jobs.")
    assert done.url.query == b"status=PENDING"  # the same list again
    assert [status(house, one) for one in (*made, foreign)] == [
        *("CANCELLED", "CANCELLED", "PENDING", "PENDING")
    ]
    # All that the list is narrowed to, ticked or not.
    done = ann.post("/jobs/several", data={"act": "retry", "scope": "all", "status": "cancelled"})
    assert told(done.text) == "Taken up again: 2 of 2 jobs."
    assert {status(house, one) for one in made} == {"PENDING"}
    waits = "UPDATE headrace.jobs SET resume_at = now() + interval '1 hour' WHERE job_id = %s"
    house.execute(waits, made[2])
    done = ann.post("/jobs/several", data={"act": "run", "job": made})
    assert told(done.text).startswith("Run now: 1 of 3 jobs. Job ")
    [row] = house.execute("SELECT resume_at FROM headrace.jobs WHERE job_id = %s", made[2])
    assert row["resume_at"] is None
    assert told(ann.post("/jobs/several", data={"act": "retry"}).text) == "Tick some first."


def test_what_is_over_is_run_once_more(house: House, browser: Browser) -> None:
    """By a job of its own, where its source has none under way."""
    source = house.connection("ann", "rerun")
    over = house.job("ann", "rerun", connection_id=source)
    end(house, over, "SUCCEEDED")
    answer = browser("rerun").post(f"/jobs/{over}/run")
    [other] = house.execute(
        "SELECT job_id FROM headrace.jobs WHERE tenant_id = 'rerun' AND job_id <> %s", over
    )
    assert answer.url.path == f"/jobs/{other['job_id']}"
    assert told(answer.text) == "It is run now."
    replay = house.job("ann", "rerun", kind="replay")
    end(house, replay, "SUCCEEDED")
    answer = browser("rerun").post(f"/jobs/{replay}/run")
    assert "A job of kind replay is not made anew from here." in told(answer.text)


def test_process_jobs_says_what_it_found(house: House, browser: Browser) -> None:
    """Covers A3.29, A3.30: of the caller's own, in a sentence; and nothing ever needs it."""
    ann, other = browser("button"), browser("button-2")
    for tenant in ("button", "button", "button-2"):
        house.job("ann", tenant)
    said = told(other.post("/jobs/process").text)
    assert said == "Processing... Put back on the queue: 1 job, 0 stages. 0 run and 1 wait now."
    said = told(ann.post("/jobs/process").text)
    assert said == (
        "Processing... Everything that waits was on its queue already. 0 run and 2 wait now."
    )
    assert 'data-busy="Processing..."' in ann.get("/jobs").text
    said = told(browser("button-3").post("/jobs/process").text)
    assert said == ("Everything that waits was on its queue already. Nothing waits, nothing runs.")


@pytest.fixture(scope="module")
def crowded(house: House) -> House:
    """A hundred thousand jobs of one tenant."""
    house.execute(
        "INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, status, created_at,"
        " started_at, completed_at) SELECT 'crowd', 'ann', 'crowd-' || n,"
        " CASE WHEN n %% 20000 = 7 THEN 'replay' ELSE 'rest_sync' END,"
        " CASE WHEN n %% 5000 = 1 THEN 'FAILED' ELSE 'SUCCEEDED' END, t, t, t"
        " FROM generate_series(1, 100000) n, LATERAL (SELECT now() - n * interval '0.5 s' AS t) x"
    )
    house.execute("ANALYZE headrace.jobs")
    return house


@pytest.mark.parametrize("asked", ["", "?status=FAILED", "?status=RUNNING", "?kind=replay"])
def test_a_page_of_a_hundred_thousand_is_small(
    crowded: House, browser: Browser, asked: str
) -> None:
    answer = browser("crowd").get(f"/jobs{asked}")
    assert len(answer.content) < 200_000
    assert len(shown(answer.text)) == {"": 50, "?status=RUNNING": 0, "?kind=replay": 5}.get(
        asked, 20
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"status": "RUNNING"},
        {"kind": "replay"},
        {"kind": "documents_ingest"},
        {"status": "FAILED", "kind": "replay"},
    ],
)
def test_a_look_reads_what_it_shows(crowded: House, asked: dict[str, str]) -> None:
    """And not the hundred thousand: rows that are read are the same each time, seconds are not."""
    with crowded.store.people("crowd", None) as session:
        before = _read(session)
        store.listing(session, **asked)  # type: ignore[arg-type]
        assert _read(session) - before <= 60


def test_counting_stops_early(crowded: House) -> None:
    with crowded.store.people("crowd", None) as session:
        before = _read(session)
        assert store.counts(session)["SUCCEEDED"] == store.COUNTED
        assert _read(session) - before <= store.COUNTED + 100


def _read(session: Connection) -> int:
    """Rows of jobs that this connection has read of late."""
    row = session.execute(
        "SELECT seq_tup_read + idx_tup_fetch AS n FROM pg_stat_xact_user_tables"
        " WHERE schemaname = 'headrace' AND relname = 'jobs'"
    ).fetchone()
    assert row is not None
    return int(row["n"])


def test_narrowed_to_one_user_a_session_sees_theirs(house: House, browser: Browser) -> None:
    mine, _ = house.job("bob", "two"), house.job("ann", "two")
    assert shown(browser("two", "bob", "bob").get("/jobs").text) == [mine]
