"""The operator's channels: a real receiver that refuses, is slow, or is asked again."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr
from typing import TYPE_CHECKING, Any

import pytest
from tests.channel import SECRET, Receiver
from tests.engine.test_alerts import change, health, look

from headrace import telemetry
from headrace.engine import alarm, messages
from headrace.engine.channels import Channels
from headrace.settings import Settings
from headrace.store import alert_log

if TYPE_CHECKING:
    from tests.engine.conftest import Bench


def settings_for(*addresses: str, **more: Any) -> Settings:
    return Settings(
        _env_file=None,
        headrace_alert_look_seconds=1e-6,
        headrace_alert_urls=" ".join(addresses),
        **more,
    )


def send(bench: Bench, settings: Settings) -> int:
    return messages.send(bench.database, settings, Channels(settings))


def log(bench: Bench) -> list[dict[str, Any]]:
    with bench.database.connection() as session:
        return alert_log.deliveries(session)[::-1]


def due_now(bench: Bench) -> None:
    change(bench, "UPDATE headrace.alert_deliveries SET due_at = now()")


def test_a_channel_is_told_what_is_wrong_and_that_it_is_over(
    bench: Bench, receiver: Receiver
) -> None:
    """Once each, with what to do and where."""
    settings = settings_for(receiver.address(), headrace_public_url="https://my.example/")
    source = bench.connect("shop")
    health(bench, source, "error", "It answers 500.")
    look(bench, settings)
    assert [send(bench, settings) for _ in range(3)] == [1, 0, 0]
    health(bench, source, "active")
    look(bench, settings)
    assert [send(bench, settings) for _ in range(3)] == [1, 0, 0]
    raised, over = receiver.got
    assert raised["title"] == "Headrace (acme): shop could not be brought up to date"
    assert raised["type"] == "warning"
    assert raised["message"].splitlines() == [
        "shop could not be brought up to date: It answers 500.",
        "Retry it.",
        f"https://my.example/sources/{source['connection_id']}",
    ]
    assert over["title"] == "Headrace: over (acme): shop could not be brought up to date"
    assert over["type"] == "success"
    rows = log(bench)
    assert [(row["event"], row["state"], row["channel"]) for row in rows] == [
        ("alert.raised", "delivered", "1 json"),
        ("alert.over", "delivered", "1 json"),
    ]
    assert rows[0]["told_at"] is not None


def test_what_is_refused_is_tried_again_and_in_order(bench: Bench, receiver: Receiver) -> None:
    """After longer and longer, for a day; that it is over is not said before that it began. Of the
    address nothing is written down anywhere."""
    settings = settings_for(receiver.address())
    receiver.status = 503
    source = bench.connect()
    health(bench, source, "error")
    look(bench, settings)
    lines = io.StringIO()
    with redirect_stderr(lines):
        telemetry.configure("DEBUG")
        assert send(bench, settings) == 0
        assert send(bench, settings) == 0
    telemetry.configure()
    assert len(receiver.got) == 1
    [row] = log(bench)
    assert (row["state"], row["attempts"]) == ("pending", 1)
    assert row["answer"] == "It was answered with status 503."
    health(bench, source, "active")
    look(bench, settings)
    assert send(bench, settings) == 0  # it waits for the first, which waits for its time
    waits = []
    for _ in range(3):
        due_now(bench)
        send(bench, settings)
        waits.append(
            bench.one(
                "SELECT round(extract(epoch FROM max(due_at) - now()))::int"
                " FROM headrace.alert_deliveries WHERE event = 'alert.raised'"
            )
        )
    assert waits == [pytest.approx(one, abs=5) for one in (60, 120, 240)]
    receiver.status, receiver.got = 200, []
    due_now(bench)
    assert send(bench, settings) == 2
    assert [one["type"] for one in receiver.got] == ["warning", "success"]
    told = lines.getvalue() + str(bench.rows("SELECT * FROM headrace.alert_deliveries"))
    assert "alert_untold" in told
    assert SECRET not in told
    assert str(receiver.port) not in told


def test_what_nobody_takes_for_a_day_is_given_up_and_sent_again_on_demand(
    bench: Bench, receiver: Receiver
) -> None:
    settings = settings_for(receiver.address())
    receiver.status = 500
    health(bench, bench.connect(), "error")
    look(bench, settings)
    age = "UPDATE headrace.alert_deliveries SET asked_at = now() - interval '24 hours'"
    change(bench, age)
    send(bench, settings)
    due_now(bench)
    send(bench, settings)
    [row] = log(bench)
    assert (row["state"], len(receiver.got)) == ("failed", 1)
    receiver.status = 200
    with bench.database.transaction() as session:
        alert_log.redeliver(session, row["delivery_id"])
    assert send(bench, settings) == 1
    assert log(bench)[0]["state"] == "delivered"


def test_a_dead_channel_holds_up_no_other(bench: Bench, receiver: Receiver) -> None:
    """Each goes its own way; one that the setting no longer names is given up after a day."""
    gone = Receiver()
    gone.close()
    settings = settings_for(gone.address(), receiver.address())
    for name in ("a", "b", "c"):
        health(bench, bench.connect(name), "error")
    look(bench, settings)
    assert send(bench, settings) == 3
    states = {(row["channel"], row["state"], row["attempts"]) for row in log(bench)}
    assert ("2 json", "delivered", 1) in states
    assert states - {("2 json", "delivered", 1)} == {
        ("1 json", "pending", 1),
        ("1 json", "pending", 0),
    }
    old = "UPDATE headrace.alert_deliveries SET due_at = now() - interval '25 hours'"
    change(bench, old)
    send(bench, settings)
    assert {row["state"] for row in log(bench) if row["channel"] == "1 json"} == {"pending"}
    change(bench, old)
    change(
        bench, "UPDATE headrace.alert_deliveries SET channel = '9 slack' WHERE state = 'pending'"
    )
    send(bench, settings)
    assert {row["state"] for row in log(bench)} == {"failed", "delivered"}


_SEND = """
import sys
from headrace.engine import messages
from headrace.engine.channels import Channels
from headrace.settings import Settings
from headrace.store.database import Database
settings = Settings(_env_file=None, headrace_alert_urls=sys.argv[2])
messages.send(Database(sys.argv[1]).open(), settings, Channels(settings))
"""


def test_a_sender_that_dies_has_it_sent_again(bench: Bench, receiver: Receiver) -> None:
    """Killed before it sends, and after: when its lease is over another one sends it."""
    settings = settings_for(receiver.address())
    health(bench, bench.connect(), "error")
    look(bench, settings)
    command = [sys.executable, "-c", _SEND, bench.url, receiver.address()]
    for point, heard in (("message-claimed", 0), ("message-sent", 1)):
        crash = {"HEADRACE_CRASH": f"{point}:1"}
        done = subprocess.run(command, env={**os.environ, **crash}, timeout=60)
        assert done.returncode == -signal.SIGKILL
        assert len(receiver.got) == heard
        assert send(bench, settings) == 0  # it may be at it still
        due_now(bench)
    assert send(bench, settings) == 1
    assert [one["title"] for one in receiver.got] == [receiver.got[0]["title"]] * 2
    assert log(bench)[0]["attempts"] == 3


def test_a_worker_does_all_of_it(bench: Bench, receiver: Receiver, running: Any) -> None:
    """By itself: raised, told, over, told."""
    source = bench.connect()
    health(bench, source, "needs_reauth")
    with running(headrace_alert_look_seconds=0.1, headrace_alert_urls=receiver.address()):
        bench.until(lambda: len(receiver.got) == 1)
        health(bench, source, "active")
        bench.until(lambda: len(receiver.got) == 2)


def test_a_process_without_workers_says_that_there_are_none(
    bench: Bench, receiver: Receiver
) -> None:
    """As `headrace api` does: no worker could."""
    bench.submit(bench.connect())
    settings = settings_for(receiver.address(), headrace_alert_no_worker_seconds=0.2)
    settings = settings.model_copy(update={"headrace_alert_look_seconds": 0.1})
    with alarm.watching(bench.database, settings):
        bench.until(lambda: receiver.got)
    assert receiver.got[0]["title"] == "Headrace: Work waits, and no worker runs"
