"""Services that start before PostgreSQL does, and requests that are under way when one ends."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.cli.test_services import CHOSEN, address, healthy
from tests.crash.wire import Wire, of_landings

if TYPE_CHECKING:
    from tests.cli.command import House, Running


def test_postgres_comes_later(house: House) -> None:
    """Covers A4.16: `up`, `api` and `worker` wait for a PostgreSQL that is not there yet, say so
    once, and go on by themselves when it is. Other commands say it at once."""
    server = house.environment["DATABASE_URL"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    name = urlsplit(server).path
    house.environment |= {
        "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{port}{name}?sslmode=disable",
        "SERVICE_PORT": "0",
        "HEADRACE_API_KEY": CHOSEN,
    }
    up, api, worker, given_up = (house.start(one) for one in ("up", "api", "worker", "worker"))
    for one in (up, api, worker, given_up):
        assert len(re.findall("does not answer", one.says(r".*does not answer.*"))) == 1
    house.look("jobs", "list").refused(69, "does not answer", "DATABASE_URL")
    # Told to end while it waits, it does.
    assert given_up.stop().code == 0

    wire = Wire(server, of_landings(0), port)
    for one in (up, api):
        healthy(address(one)[1])
    worker.says("started")
    for one in (up, api, worker):
        assert one.err.count("does not answer") + one.out.count("does not answer") == 1
        one.process.send_signal(signal.SIGTERM)
    assert [one.ended(20).code for one in (up, api, worker)] == [0, 0, 0]
    wire.close()


def test_what_does_not_pass_is_not_waited_for(house: House) -> None:
    """A database that is not there will not come by itself; and nobody has to wait."""
    server = house.environment["DATABASE_URL"]
    missing = urlsplit(server)._replace(path="/nobody_has_made_it").geturl()
    ran = house.run("worker", DATABASE_URL=missing)
    ran.refused(69, "nobody_has_made_it", "DATABASE_URL")
    nobody = "postgresql://postgres@127.0.0.1:1/nothing"
    ran = house.run("worker", DATABASE_URL=nobody, HEADRACE_DATABASE_WAIT="0")
    ran.refused(69, "does not answer", "DATABASE_URL")


@pytest.mark.parametrize("command", ["api", "up"])
def test_a_request_that_is_under_way_is_answered(house: House, command: str) -> None:
    """SIGTERM comes in the middle of an upload: nobody new is let in, the upload is answered, and
    the service ends with 0."""
    running = house.start(command, SERVICE_PORT="0", HEADRACE_API_KEY=CHOSEN)
    connection, port = _half_an_upload(running)
    running.process.send_signal(signal.SIGTERM)
    _closed(port)
    connection.send(_HALF)
    answer = connection.getresponse()
    assert answer.status in (200, 201)
    assert json.loads(answer.read())["size"] == 2 * len(_HALF)
    connection.close()
    assert running.ended(20).code == 0


@pytest.mark.parametrize(
    ("command", "number"), [("api", signal.SIGTERM), ("up", signal.SIGTERM), ("up", signal.SIGINT)]
)
def test_a_second_signal_waits_for_no_answer(
    house: House, command: str, number: signal.Signals
) -> None:
    """The upload never ends, and there would be a minute for it: after the first signal it is
    waited for, after the second not any more. It says how it ended by its code, without a word."""
    running = house.start(
        command, SERVICE_PORT="0", HEADRACE_API_KEY=CHOSEN, HEADRACE_DRAIN_SECONDS="60"
    )
    connection, port = _half_an_upload(running)
    running.process.send_signal(signal.SIGTERM)
    _closed(port)
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(1)
    told = time.monotonic()
    running.process.send_signal(number)
    assert running.process.wait(10) == 128 + number
    assert time.monotonic() - told < 4
    assert "Traceback" not in running.err
    connection.close()


@pytest.mark.parametrize("command", ["api", "up"])
def test_an_answer_is_waited_for_until_the_limit(house: House, command: str) -> None:
    """Then the request is cut off, which is said in a sentence, and the service ends with 0."""
    running = house.start(
        command, SERVICE_PORT="0", HEADRACE_API_KEY=CHOSEN, HEADRACE_DRAIN_SECONDS="1"
    )
    connection, _ = _half_an_upload(running)
    told = time.monotonic()
    assert running.stop().ok().code == 0
    assert 0.9 < time.monotonic() - told < 6
    connection.close()


_HALF = b"x" * 10_000


def _half_an_upload(running: Running) -> tuple[http.client.HTTPConnection, int]:
    """A request that is under way when this returns, and the port it went to."""
    _, port = address(running)
    healthy(port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest("PUT", "/ingestion/uploads/late.txt")
    connection.putheader("X-API-Key", CHOSEN)
    connection.putheader("Content-Type", "text/plain")
    connection.putheader("Content-Length", str(2 * len(_HALF)))
    connection.endheaders(_HALF)
    return connection, port


def _closed(port: int) -> None:
    """Wait until nobody new is let in."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.02)
    pytest.fail("it still lets people in")
