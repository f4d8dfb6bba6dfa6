"""Alerts: each rule, and that an incident is raised once and over once, whoever looks and dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from tests.engine.conftest import TENANT, USER

from headrace.engine import alarm
from headrace.engine.channels import Channels
from headrace.engine.rule import Rule, rules, wanted
from headrace.errors import BadInput
from headrace.settings import Settings
from headrace.store import incidents

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

SETTINGS = Settings(_env_file=None, headrace_alert_look_seconds=1e-6)
"""Whoever looks is not too soon."""


def look(bench: Bench, settings: Settings = SETTINGS) -> tuple[int, int]:
    return alarm.look(bench.database, settings, Channels(settings))


def standing(bench: Bench, rule: str | None = None) -> list[tuple[str, str]]:
    """The rules and subjects of what is open."""
    with bench.database.people(TENANT, None) as session:
        rows = incidents.listing(session, open_=True, rule=rule)
    return sorted((row["rule"], row["subject"]) for row in rows)


def change(bench: Bench, statement: str, *values: Any) -> None:
    with bench.database.connection() as session:
        session.execute(statement.encode(), values)


def health(bench: Bench, connection: dict[str, Any], state: str, reason: str = "No more.") -> None:
    change(
        bench,
        "UPDATE headrace.connections SET health = %s, health_reason = %s WHERE connection_id = %s",
        state,
        reason,
        connection["connection_id"],
    )


def every_hour(bench: Bench, connection: dict[str, Any]) -> None:
    from headrace.store import connections

    with bench.database.transaction() as session:
        connections.every(session, connection["connection_id"], 3600)


def test_access_that_has_ended_is_raised_once_and_over_once(bench: Bench) -> None:
    """Covers A3.46: however often somebody looks; and a later loss is another incident."""
    mail = bench.connect("mail")
    bench.connect("other")
    assert look(bench) == (0, 0)
    for _ in range(2):
        health(bench, mail, "needs_reauth", "The owner has taken it back.")
        assert [look(bench) for _ in range(3)] == [(1, 0), (0, 0), (0, 0)]
        assert standing(bench) == [("needs_reauth", mail["connection_id"])]
        health(bench, mail, "active")
        assert [look(bench) for _ in range(3)] == [(0, 1), (0, 0), (0, 0)]
    rows = bench.rows("SELECT * FROM headrace.incidents ORDER BY raised_at")
    assert len(rows) == 2
    for row in rows:
        assert row["said"] == "mail cannot be read any more: The owner has taken it back."
        assert (row["tenant_id"], row["user_id"]) == (TENANT, USER)
        assert row["link"] == f"/sources/{mail['connection_id']}"
        assert row["hint"] == "Connect it again."
        assert row["ended"] == "It is as it should be again."


def test_a_source_whose_job_failed_is_an_alert_until_one_succeeds(bench: Bench) -> None:
    """Covers A3.46: one that lost its access is told of by the other rule, and not twice."""
    shop, mail = bench.connect("shop"), bench.connect("mail")
    health(bench, shop, "error", "It answers 500.")
    health(bench, mail, "needs_reauth")
    assert look(bench) == (2, 0)
    assert standing(bench, "job_failed") == [("job_failed", shop["connection_id"])]
    health(bench, shop, "active")
    assert look(bench) == (0, 1)


def test_jobs_without_a_source_are_one_alert_for_each_user(bench: Bench) -> None:
    """Until what is left of them is retried or dropped; a stage's dead letter is none of theirs."""
    for user, number in (("ann", 1), ("ann", 2), ("bob", 3)):
        change(
            bench,
            "INSERT INTO headrace.dead_letters (tenant_id, user_id, job_id, stage, source_id,"
            " content_hash, reason, hint) VALUES (%s, %s, 'j', 'job', %s, '', %s, 'Retry it.')",
            TENANT,
            user,
            f"job/{number}",
            f"Reason {number}.",
        )
    assert look(bench) == (2, 0)
    assert standing(bench) == [("job_failed", "jobs of ann"), ("job_failed", "jobs of bob")]
    said = bench.one("SELECT said FROM headrace.incidents WHERE user_id = 'ann'")
    assert said == "2 jobs have failed for good; the last one said: Reason 2."
    change(bench, "UPDATE headrace.dead_letters SET state = 'dropped' WHERE user_id = 'ann'")
    assert look(bench) == (0, 1)
    assert standing(bench) == [("job_failed", "jobs of bob")]


def test_a_source_is_stale_when_it_is_overdue_and_does_not_move(bench: Bench) -> None:
    """One that is synced when somebody asks is never stale; nor one that is paused, or that has
    moved; and one that is at it just now is not raised, but stays so where it was."""
    late, _, paused, moving = (bench.connect(one) for one in ("late", "asked", "p", "moving"))
    for one in (late, paused, moving):
        every_hour(bench, one)
    health(bench, paused, "paused")
    change(
        bench,
        "UPDATE headrace.connections SET created_at = now() - interval '90 hours',"
        " synced_at = now() - interval '24 hours 50 minutes'",
    )
    assert look(bench) == (0, 0)  # an hour between two, and a day of patience
    change(
        bench,
        "UPDATE headrace.connections SET synced_at = now() - interval '25 hours 10 minutes'",
    )
    change(
        bench,
        "INSERT INTO headrace.streams (tenant_id, user_id, connection_id, name, content)"
        " VALUES (%s, %s, %s, 's', 'x')",
        TENANT,
        USER,
        moving["connection_id"],
    )
    change(
        bench,
        "INSERT INTO headrace.checkpoints (tenant_id, user_id, stream_id, slice, updated_at)"
        " SELECT tenant_id, user_id, stream_id, '', now() FROM headrace.streams",
    )
    job = bench.submit(late)
    assert look(bench) == (0, 0)
    change(bench, "UPDATE headrace.jobs SET created_at = now() - interval '25 hours'")
    assert look(bench) == (1, 0)
    assert standing(bench) == [("stale", late["connection_id"])]
    change(bench, "UPDATE headrace.jobs SET created_at = now() WHERE job_id = %s", job)
    assert look(bench) == (0, 0)
    change(bench, "UPDATE headrace.connections SET synced_at = now()")
    assert look(bench) == (0, 1)


def test_dead_letters_that_grow(bench: Bench) -> None:
    """New ones within the window, from all streams of the source; it is over when less than half as
    many are left, so that it does not come and go."""
    settings = SETTINGS.model_copy(update={"headrace_alert_dead_letters": 10})
    source = bench.connect()
    for name in ("a", "b"):
        change(
            bench,
            "INSERT INTO headrace.streams (tenant_id, user_id, connection_id, name, content)"
            " VALUES (%s, %s, %s, %s, 'x')",
            TENANT,
            USER,
            source["connection_id"],
            name,
        )
    change(
        bench,
        "INSERT INTO headrace.dead_letters (tenant_id, user_id, stream_id, stage, source_id,"
        " content_hash, reason, hint, created_at) SELECT tenant_id, user_id, stream_id, 'landing',"
        " n::text, '', 'r', 'h', now() - CASE WHEN n > 5 THEN interval '2 hours' ELSE '0' END"
        " FROM headrace.streams, generate_series(1, 9) n",
    )
    change(bench, "UPDATE headrace.dead_letters SET state = 'dropped' WHERE dead_letter_id = 1")
    assert look(bench, settings) == (0, 0)  # nine are new and open
    change(bench, "UPDATE headrace.dead_letters SET state = 'open' WHERE dead_letter_id = 1")
    assert look(bench, settings) == (1, 0)
    assert standing(bench) == [("dead_letters", source["connection_id"])]
    change(bench, "UPDATE headrace.dead_letters SET state = 'dropped' WHERE source_id < '3'")
    assert look(bench, settings) == (0, 0)  # six
    change(bench, "UPDATE headrace.dead_letters SET state = 'dropped' WHERE source_id = '3'")
    assert look(bench, settings) == (0, 1)  # four


def test_work_that_waits(bench: Bench, running: Any) -> None:
    """Covers A3.27: where nobody works it says so; where somebody does, that they are too few."""
    bench.submit(bench.connect())
    assert look(bench) == (0, 0)
    age = "UPDATE dbos.workflow_status SET created_at = created_at - 400000,"
    change(bench, f"{age} updated_at = updated_at - 400000")
    assert look(bench) == (0, 0)  # a worker may just be started anew
    gone = "UPDATE headrace.alert_looks SET since = since - interval '61 seconds'"
    change(bench, gone)
    assert look(bench) == (1, 0)
    rows = bench.rows("SELECT rule, tenant_id, user_id FROM headrace.incidents")
    assert rows == [{"rule": "no_worker", "tenant_id": "default", "user_id": "service"}]
    with running(headrace_alert_look_seconds=0.1):
        bench.until(lambda: bench.rows("SELECT 1 FROM headrace.incidents WHERE over_at < now()"))
        later = "UPDATE dbos.workflow_status SET status = 'ENQUEUED', queue_name = %s"
        later += ", application_version = 'another', created_at = created_at - 400000"
        change(bench, later, "headrace_apart")
        bench.until(lambda: look(bench) == (1, 0) or _open(bench) == ["queued"])
        change(bench, "DELETE FROM dbos.workflow_status")
    look(bench)
    assert _open(bench) == []
    # What it was at when it died waits as well.
    bench.submit(bench.connect("another"))
    change(bench, "UPDATE dbos.workflow_status SET status = 'PENDING'")
    assert look(bench) == (0, 0)
    change(bench, gone)
    assert look(bench) == (1, 0)


def _open(bench: Bench) -> list[str]:
    rows = bench.rows("SELECT rule FROM headrace.incidents WHERE over_at IS NULL")
    return [row["rule"] for row in rows]


def test_a_rule_that_is_off_is_not_looked_at(bench: Bench) -> None:
    """Each by its setting; what was open of it is over, and says why."""
    health(bench, bench.connect(), "needs_reauth")
    look(bench)
    off = Settings(
        _env_file=None,
        headrace_alert_look_seconds=1e-6,
        headrace_alert_stale_hours=0,
        headrace_alert_needs_reauth=False,
        headrace_alert_job_failed=False,
        headrace_alert_dead_letters=0,
        headrace_alert_drift=False,
        headrace_alert_no_worker_seconds=0,
        headrace_queue_alert_seconds=0,
    )
    assert not any(on for _, on in wanted(off))
    assert all(on for _, on in wanted(SETTINGS))
    assert look(bench, off) == (0, 1)
    assert bench.one("SELECT ended FROM headrace.incidents") == "The rule is off now."


def test_a_rule_that_fails_ends_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the other rules are looked at all the same, a broken transaction notwithstanding."""
    lost, failed = bench.connect("lost"), bench.connect("failed")
    health(bench, lost, "needs_reauth")
    look(bench)
    broken = rules()["needs_reauth"]

    def find(connection: Any, _: Settings) -> list[Any]:
        connection.execute("SELECT 1 / 0")
        return []

    monkeypatch.setitem(rules(), broken.name, Rule(broken.name, "", broken.wants, find))
    health(bench, failed, "error")
    assert look(bench) == (1, 0)
    assert len(standing(bench)) == 2


def test_many_that_look_at_once_raise_once(bench: Bench) -> None:
    """Covers A3.46: and nobody looks again so soon after somebody."""
    for number in range(20):
        health(bench, bench.connect(f"s{number}"), "error")
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: look(bench), range(40)))
    assert sum(raised for raised, _ in done) == 20
    assert bench.one("SELECT count(*) FROM headrace.incidents") == 20
    change(bench, "UPDATE headrace.connections SET health = 'active'")
    assert look(bench, Settings(_env_file=None)) == (0, 0)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: look(bench), range(40)))
    assert sum(over for _, over in done) == 20


_LOOK = """
import sys
from headrace.engine import alarm
from headrace.engine.channels import Channels
from headrace.settings import Settings
from headrace.store.database import Database
settings = Settings(_env_file=None, headrace_alert_look_seconds=1e-6)
database = Database(sys.argv[1]).open()
print(alarm.look(database, settings, Channels(settings)))
"""


def _process(bench: Bench, **crash: str) -> int:
    command = [sys.executable, "-c", _LOOK, bench.url]
    return subprocess.run(command, env={**os.environ, **crash}, timeout=60).returncode


def test_a_process_that_dies_as_it_raises_has_raised_nothing(bench: Bench) -> None:
    """Covers A3.46: raised exactly once, and over exactly once, whenever it is killed; the webhook
    of each event is written in the same transaction."""
    change(
        bench,
        "INSERT INTO headrace.webhooks (tenant_id, webhook_id, user_id, url, events, secrets)"
        " VALUES (%s, 'w', %s, 'https://a.example', ARRAY['alert.raised', 'alert.over'], '')",
        TENANT,
        USER,
    )
    source = bench.connect()
    health(bench, source, "error")

    def told() -> list[str]:
        rows = bench.rows("SELECT event FROM headrace.webhook_deliveries ORDER BY delivery_id")
        return [row["event"] for row in rows]

    assert _process(bench, HEADRACE_CRASH="in-alarm:1") == -signal.SIGKILL
    assert bench.rows("SELECT 1 FROM headrace.incidents") == []
    assert told() == []
    assert _process(bench, HEADRACE_CRASH="alarmed:1") == -signal.SIGKILL
    assert look(bench) == (0, 0)
    assert told() == ["alert.raised"]
    health(bench, source, "active")
    assert _process(bench, HEADRACE_CRASH="in-alarm:1") == -signal.SIGKILL
    assert standing(bench) == [("job_failed", source["connection_id"])]
    assert _process(bench, HEADRACE_CRASH="alarmed:1") == -signal.SIGKILL
    assert look(bench) == (0, 0)
    assert told() == ["alert.raised", "alert.over"]
    [data] = bench.rows("SELECT data FROM headrace.webhook_deliveries ORDER BY 1 LIMIT 1")
    assert data["data"]["subject"] == source["connection_id"]


def test_what_has_been_over_for_long_is_forgotten(bench: Bench) -> None:
    source = bench.connect()
    health(bench, source, "error")
    look(bench)
    change(bench, "UPDATE headrace.incidents SET raised_at = now() - interval '9 years'")
    look(bench)
    health(bench, source, "active")
    look(bench)
    assert bench.one("SELECT count(*) FROM headrace.incidents") == 1
    change(bench, "UPDATE headrace.incidents SET over_at = now() - interval '91 days'")
    look(bench, SETTINGS.model_copy(update={"headrace_keep_job_days": 0}))  # for ever
    assert bench.one("SELECT count(*) FROM headrace.incidents") == 1
    look(bench)
    assert bench.one("SELECT count(*) FROM headrace.incidents") == 0


def test_channels_that_cannot_be_used_are_known_at_start() -> None:
    """And nothing of the address is said: it is a secret."""
    settings = Settings(_env_file=None, headrace_alert_urls="json://a nonsense://hunter2")
    with pytest.raises(BadInput, match="Address 2 of HEADRACE_ALERT_URLS") as refused:
        Channels(settings)
    assert "hunter2" not in f"{refused.value} {refused.value.hint} {settings!r}"
