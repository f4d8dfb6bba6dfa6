"""`headrace up`, `api` and `worker`: they start, say where they are, and end when they are told."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.command import House, Running

from headrace.store import embedded

if TYPE_CHECKING:
    from tests.cli.conftest import Landed

CHOSEN = "a-key-that-the-operator-chose"


def ask(port: int, path: str, *, key: str = "", body: Any = None) -> tuple[int, Any]:
    """One request to a service on this machine: status, and the decoded answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Content-Type": "application/json", **({"X-API-Key": key} if key else {})}
    content = None if body is None else json.dumps(body)
    connection.request("GET" if body is None else "POST", path, content, headers)
    answer = connection.getresponse()
    status, text = answer.status, answer.read()
    connection.close()
    return status, json.loads(text)


def address(running: Running) -> tuple[str, int]:
    """Where it says that it serves."""
    url = running.says(r"Headrace serves on http://\S+:\d+").split()[-1]
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)


def healthy(port: int) -> None:
    """Waits until it answers: the port is taken before everything else, and then it is soon."""
    assert ask(port, "/health")[0] == 200


def test_up(bare: House) -> None:
    """Covers A0.21, A2.8: one command and nothing set. It prints address and key, the key only
    once; SIGTERM and Control-C end it cleanly, and the PostgreSQL it brought with it."""
    keys = []
    for number in (signal.SIGTERM, signal.SIGINT):
        running = bare.start("up", SERVICE_PORT="0")
        host, port = address(running)
        assert host == "127.0.0.1"
        healthy(port)
        assert "Only this machine can reach it" in running.err
        keys += [line.split()[-1] for line in running.err.splitlines() if "shown this once" in line]
        assert ask(port, "/api/jobs")[0] == 401
        assert ask(port, "/api/jobs", key=keys[0])[0] == 200
        assert embedded.status(bare.home / "postgres").state == "running"
        told = time.monotonic()
        assert running.stop(number).ok().out == ""
        assert time.monotonic() - told < 15
        assert embedded.status(bare.home / "postgres").state == "stopped"
    assert len(keys) == 1


def test_a_port_that_is_taken(bare: House) -> None:
    """Said before anything is started, and no key is printed into the void."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        begun = [bare.start(line, SERVICE_PORT=str(port)) for line in ("up", "api")]
        for running in begun:
            ran = running.ended()
            ran.refused(
                64, rf"^Port {port} on 127\.0\.0\.1 cannot be used: .*in use", "SERVICE_PORT"
            )
            assert ran.seconds < 20
    assert embedded.status(bare.home / "postgres").state == "absent"


def test_a_host_that_is_not_ours(bare: House) -> None:
    bare.environment |= {"SERVICE_PORT": "0", "SERVICE_HOST": "192.0.2.1"}
    ran = bare.look("api")
    ran.refused(64, r"^SERVICE_HOST 192\.0\.2\.1 is no address of this machine\.$", r"127\.0\.0\.1")


def test_open_to_the_network(house: House) -> None:
    """Covers A4.22: SERVICE_HOST is honoured, and it is said what that means; a key that the
    operator chose works, and is not printed. With --json a program is told the address."""
    settings = {"SERVICE_HOST": "0.0.0.0", "SERVICE_PORT": "0", "HEADRACE_API_KEY": CHOSEN}
    running = house.start("api", **settings)
    host, port = address(running)
    assert host == "0.0.0.0"
    assert "The network can reach it" in running.err
    assert ask(port, "/api/jobs", key=CHOSEN)[0] == 200
    assert CHOSEN not in running.err + running.out
    running.stop().ok()
    running = house.start("api", "--json", **settings)
    running.says(r'"url":"http://0\.0\.0\.0:\d+"')
    assert json.loads(running.out)["api_key"] is None
    assert "API key" not in running.err
    running.stop().ok()


@pytest.mark.parametrize("key", ["short", " "])
def test_a_key_that_could_be_guessed(house: House, key: str) -> None:
    house.environment |= {"SERVICE_PORT": "0", "HEADRACE_API_KEY": key}
    ran = house.look("api")
    ran.refused(64, r"^HEADRACE_API_KEY must have 16 to 512 characters", "A good one: ")


def test_api_and_worker_apart(
    house: House, twin: str, describe: Callable[..., str], landed: Landed
) -> None:
    """Covers A0.6, A0.13, A2.9, A2.41: the API takes the job, a worker in another process does it;
    they share nothing but DATABASE_URL and the key that seals credentials."""
    spec = Path(describe(house, base=f"{twin}/v2"))
    house.run("sync", "--spec", str(spec), SHOP_KEY="the-right-key")
    describe(house, base=twin)
    settings = {"HEADRACE_API_KEY": CHOSEN, "SERVICE_PORT": "0"}
    serving = house.start("api", **settings)
    _, port = address(serving)
    # The connection's spec, put right without a sync: only the worker may do that.
    database = house.environment["DATABASE_URL"]
    _correct(database, twin)
    status, job = ask(port, "/api/jobs", key=CHOSEN, body={"kind": "rest_sync"})
    assert (status, job["status"]) == (202, "PENDING")
    working = house.start("worker", SHOP_KEY="the-right-key")
    working.says(r'"event":\s*"run"')
    status, done = ask(port, f"/api/jobs/{job['job_id']}", key=CHOSEN)
    assert (done["status"], done["progress"]["inserted"]) == ("SUCCEEDED", 1_000)
    _wait_for_stages(port, job["job_id"])
    landed(house)
    told = time.monotonic()
    working.stop(signal.SIGTERM).ok()
    serving.stop(signal.SIGINT).ok()
    assert time.monotonic() - told < 20


def _correct(database: str, base: str) -> None:
    import psycopg

    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE headrace.connections"
            " SET config = config || jsonb_build_object('base_url', %s::text)",
            [base],
        )


def _wait_for_stages(port: int, job_id: str) -> None:
    until = time.monotonic() + 30
    while any(ask(port, f"/api/jobs/{job_id}", key=CHOSEN)[1]["stages_pending"].values()):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_worker_is_told_to_stop_while_it_starts(house: House) -> None:
    """A signal is not lost, whenever it comes."""
    running = house.start("worker")
    time.sleep(0.8)
    ran = running.stop(signal.SIGTERM)
    assert ran.code in (0, 143)
    assert "Traceback" not in ran.err
