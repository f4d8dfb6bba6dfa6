"""`headrace alerts`, and the processes that raise them and tell of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.channel import SECRET, Receiver
from tests.cli.command import House

from headrace.engine import jobs
from headrace.store import connections
from headrace.store.database import Database


@pytest.fixture
def store(house: House) -> Iterator[Database]:
    opened = Database(house.environment["DATABASE_URL"]).open()
    yield opened
    opened.close()


def shop(store: Database) -> dict[str, Any]:
    with store.transaction() as session:
        return connections.save(
            session, tenant="default", user="me", provider="rest", name="shop", config={}
        )


def until(heard: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not heard():
        assert time.monotonic() < end
        time.sleep(0.05)


def noted(store: Database) -> bool:
    """Whether it is written down that a message has been delivered."""
    with store.connection() as session:
        asked = "SELECT FROM headrace.alert_deliveries WHERE state = 'delivered'"
        return session.execute(asked).fetchone() is not None


def test_who_watches_when_no_worker_is_there(
    house: House,
    store: Database,
    receiver: Receiver,
) -> None:
    """Covers A3.27, A3.46: the API process says that nobody works; killed and begun again it does
    not say so twice; the worker that comes says that it is over. Meanwhile a person looks."""
    with store.transaction() as session:
        source = shop(store)
        jobs.submit(
            session,
            tenant="default",
            user="me",
            kind="rest_sync",
            connection_id=source["connection_id"],
        )
    house.environment |= {
        "SERVICE_PORT": "0",
        "HEADRACE_ALERT_LOOK_SECONDS": "0.2",
        "HEADRACE_ALERT_URLS": receiver.address(),
        "HEADRACE_ALERT_JOB_FAILED": "false",
        "HEADRACE_ALERT_NO_WORKER_SECONDS": "2",
    }
    serving = house.start("api")
    until(lambda: noted(store))  # who dies before that sends it again
    serving.kill()
    serving = house.start("api")
    serving.says("Headrace serves on")
    [row] = house.json("alerts", "list")
    assert row["rule"] == "no_worker"
    assert house.look("alerts", "acknowledge", row["incident_id"]).ok().out == (
        "Somebody has taken it up: Work waits, and no worker runs.\n"
    )
    assert house.json("alerts", "snooze", row["incident_id"])["snoozed_until"]
    house.look("alerts", "acknowledge", "none").refused(
        64, "There is no alert 'none'", "alerts list"
    )
    assert "no_worker" in house.look("alerts", "rules").ok().out
    working = house.start("worker")
    until(lambda: len(receiver.got) > 1)
    assert [one["type"] for one in receiver.got] == ["warning", "success"]
    [over] = house.json("alerts", "list", "--state", "over")
    assert over["ended"] == "It is as it should be again."
    deliveries = house.json("alerts", "deliveries")
    assert [one["event"] for one in deliveries] == ["alert.over", "alert.raised"]
    again = house.look("alerts", "redeliver", deliveries[0]["delivery_id"]).ok()
    assert again.out == "It is sent again to 1 json, as soon as a process looks.\n"
    until(lambda: len(receiver.got) > 2)
    working.stop().ok()
    serving.stop().ok()
    assert SECRET not in serving.err + serving.out + working.err


def test_channels_are_tried_and_a_wrong_one_is_refused(house: House, receiver: Receiver) -> None:
    """By `alerts test`, and at the start of whatever would use them; the address is not shown."""
    house.environment |= {"HEADRACE_ALERT_URLS": receiver.address()}
    assert house.json("alerts", "test") == [
        {"channel": "1 json", "taken": True, "answer": "It was taken."}
    ]
    receiver.status = 404
    assert "status 404" in house.look("alerts", "test").ok().out
    house.environment |= {"HEADRACE_ALERT_URLS": f"nonsense://{SECRET}", "SERVICE_PORT": "0"}
    for command in (["alerts", "test"], ["api"], ["worker"]):
        ran = house.look(*command)
        ran.refused(64, "Address 1 of HEADRACE_ALERT_URLS is none", "slack")
        assert SECRET not in ran.err + ran.out
