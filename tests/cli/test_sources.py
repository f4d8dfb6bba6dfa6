"""A source that is not there, says no, or sends nonsense: told within seconds, in a sentence with
what to do; once the cause is mended the same command completes, and nothing was lost.

The commands of the table run side by side, first all that fail and then all that are mended.
"""

from __future__ import annotations

import gzip
import http.server
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.cli.command import House, Running

from headrace.twin import run_twin

if TYPE_CHECKING:
    from tests.cli.conftest import Landed

KEY, TOTAL = "the-right-key", 1_000
SOON = 45.0
"""Seconds, for a dozen commands at a time on two busy cores; one alone takes a tenth to a third."""


class Case(NamedTuple):
    """What is wrong with a source, and what is said of it."""

    code: int
    message: str
    hint: str
    base: str = ""
    more: str = ""
    key: str = KEY


CASES = {
    "nobody listens": Case(
        75,
        r"^127\.0\.0\.1:\d+ cannot be reached: connection refused, after 6 attempts\.$",
        r"Check base_url.* the same command tries again",
        base="closed",
    ),
    "no such name": Case(
        75,
        r"^The name api\.invalid \(port 80\) is not known",
        r"Check base_url and the network",
        base="http://api.invalid",
    ),
    "no web server": Case(
        75, r"^127\.0\.0\.1:\d+ .*, after 6 attempts\.$", r"tries again", base="ssh"
    ),
    "a web page": Case(
        75,
        r"^127\.0\.0\.1 sent a web page instead of JSON for /events, after 6 attempts\.$",
        r"login or maintenance page",
        base="page",
    ),
    "a bomb": Case(
        77,
        r"^127\.0\.0\.1 sent a body larger than is accepted",
        r"fewer records a page",
        base="bomb",
    ),
    "the wrong key": Case(
        77, r"^The key was refused by 127\.0\.0\.1 \(401\)", r"valid key", key="the-wrong-key"
    ),
    "no key": Case(77, r"^The variable SHOP_KEY is not set, but the spec", r"Set it", key=""),
    "no such path": Case(
        77, r"has nothing at /v2/events \(404\)", r"Check base_url and the path", base="/v2"
    ),
    "no such id": Case(
        77,
        r"^No record of the first page has its id at 'uuid'; there is: .*\bid\b",
        r"Set `id` in the spec",
        more="id: uuid",
    ),
    "no records there": Case(
        75,
        r"sent no array of records at rows: its answer is an object with data",
        r"Set `records` in the spec",
        more="records: rows",
    ),
}


@contextmanager
def serving(body: bytes, **headers: str) -> Iterator[str]:
    """A server that answers everything with this."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def no_web_server() -> Iterator[str]:
    """Something else that listens."""

    def talk() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            client.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
            client.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=talk, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(scope="module")
def bases(twin: str) -> Iterator[dict[str, str]]:
    """The addresses that the table gives names to."""
    # Half a gigabyte, in half a megabyte.
    bomb = gzip.compress(b'{"data":[' + bytes(1 << 29), 6)
    page = {"kind": "answer", "text": "<html>Please log in.</html>"}
    with ExitStack() as stack:
        yield {
            "": twin,
            "/v2": f"{twin}/v2",
            "closed": closed_port(),
            "ssh": stack.enter_context(no_web_server()),
            "page": stack.enter_context(run_twin(total=10, faults=[{"do": page}])),
            "bomb": stack.enter_context(serving(bomb, Content_Encoding="gzip")),
        }


Begun = dict[str, tuple[House, Running]]

MENDED = ("nobody listens", "the wrong key", "no such id")


@pytest.fixture(scope="module")
def waiting(houses: Callable[[], House], describe: Callable[..., str]) -> Iterator[Begun]:
    """Syncs that are made to wait: for a limit that is over soon and then for one that is not, and
    for an answer that does not come."""

    def limit(request: int, name: str, seconds: str) -> dict[str, Any]:
        answer = {"kind": "answer", "status": 429, "headers": {name: seconds}}
        return {"on": {"request": request}, "do": answer}

    limits = [limit(3, "Retry-After", "6"), limit(8, "X-RateLimit-Reset", "3600")]
    silence = {"on": {"offset": 500, "times": 2}, "do": {"kind": "hang"}}
    with (
        run_twin(total=TOTAL, cursor_ttl_s=0, faults=limits) as limited,
        run_twin(total=TOTAL, cursor_ttl_s=0, faults=[silence]) as silent,
    ):
        begun = {}
        for name, base in (("limits", limited), ("INT", silent), ("TERM", silent)):
            house = houses()
            spec = describe(house, base=base)
            begun[name] = house, house.start("sync", "--spec", spec, SHOP_KEY=KEY)
        yield begun


@pytest.fixture(scope="module")
def failing(
    houses: Callable[[], House],
    describe: Callable[..., str],
    bases: dict[str, str],
    waiting: Begun,
) -> Begun:
    """A sync of each case, all at once; beside those that wait."""
    begun = {}
    for name, case in CASES.items():
        house = houses()
        spec = describe(house, base=bases.get(case.base, case.base), more=case.more)
        environment = {"SHOP_KEY": case.key} if case.key else {}
        begun[name] = house, house.start("sync", "--spec", spec, "--json", **environment)
    return begun


@pytest.fixture(scope="module")
def mended(failing: Begun, describe: Callable[..., str], twin: str) -> Begun:
    """The same commands once what was wrong has been put right, all at once."""
    begun = {}
    for name in MENDED:
        house, running = failing[name]
        running.ended()
        spec = describe(house, base=twin)
        begun[name] = house, house.start("sync", "--spec", spec, "--json", SHOP_KEY=KEY)
    return begun


@pytest.fixture(scope="module")
def unmended(failing: Begun) -> Running:
    """The same command again, with nothing put right."""
    house, running = failing["no records there"]
    running.ended()
    return house.start("sync", "shop", "--json", SHOP_KEY=KEY)


@pytest.mark.parametrize("name", CASES)
def test_it_is_told(name: str, failing: Begun) -> None:
    """Covers A2.36: one sentence, one hint, the right exit code, on standard output nothing but
    JSON, and within seconds: a job may try five times with minutes between, a person does not sit
    through that."""
    case = CASES[name]
    ran = failing[name][1].ended()
    ran.refused(case.code, case.message, case.hint)
    [job] = ran.json
    assert (job["connection"], job["fetched"], job["error_code"]) == ("shop", 0, case.code)
    assert job["status"] == ("PENDING" if case.code == 75 else "FAILED")
    assert ran.seconds < SOON
    assert "the-wrong-key" not in ran.err + ran.out


@pytest.mark.parametrize("name", MENDED)
def test_it_completes_once_mended(
    name: str, mended: Begun, unmended: Running, landed: Landed
) -> None:
    """Covers A2.34: with the same command, at once, whatever time the job was to wait until."""
    house, running = mended[name]
    [job] = running.ended().ok().json
    assert (job["status"], job["inserted"], job["last_error"]) == ("SUCCEEDED", 1_000, None)
    landed(house)


def test_the_health_of_a_connection(mended: Begun) -> None:
    house, running = mended["the wrong key"]
    running.ended()
    [shop] = house.json("connections", "list")
    assert (shop["health"], shop["health_reason"], shop["records"]) == ("active", None, 1_000)


def test_it_is_not_answered_from_memory(failing: Begun, unmended: Running) -> None:
    """A job that waits after a failure goes on when a person asks: its source is asked, now."""
    [first] = failing["no records there"][1].ended().json
    [second] = unmended.ended().json
    assert (second["job_id"], second["attempts"]) == (first["job_id"], 2)
    assert second["last_error"] == first["last_error"]


def test_limits(waiting: Begun, landed: Landed) -> None:
    """Covers A2.30-A2.33: a few seconds are waited, and it is told why and until when. An hour is
    nothing to sit in front of: the job keeps its time, and what has landed stays."""
    house, running = waiting["limits"]
    ran = running.ended()
    assert "shop waits until" in ran.err
    ran.refused(75, r"allows no more requests for now \(429\)", r"tries again after \d\d:\d\d:\d\d")
    assert ran.out == "shop: 600 new, 0 unchanged of 600 fetched.\n"
    again = house.run("sync", "shop", SHOP_KEY=KEY)
    again.refused(75, r"allows no more requests", r"tries again after")
    [job] = house.json("jobs", "list")
    assert (job["status"], job["attempts"]) == ("PENDING", 0)
    house.look("jobs", "cancel", job["job_id"]).ok()
    ran = house.run("sync", "shop", SHOP_KEY=KEY).ok()
    assert ran.out == "shop: 400 new, 0 unchanged of 400 fetched.\n"
    landed(house)


def test_a_person_who_has_waited_enough(waiting: Begun, landed: Landed) -> None:
    """Covers A2.34: told that nothing comes; interrupted or ended by a signal while the source
    keeps still, it ends at once, says how to go on, and goes on."""
    for name in ("TERM", "INT"):
        house, running = waiting[name]
        running.says(r"shop: 500.* nothing new for \d+ s")
        told = time.monotonic()
        number = signal.Signals[f"SIG{name}"]
        ran = running.stop(number)
        ran.refused(128 + number, r"^Stopped; everything landed", r"Go on with: headrace sync shop")
        assert time.monotonic() - told < 15
    ran = house.run("sync", "shop", SHOP_KEY=KEY).ok()
    assert ran.out == "shop: 1,000 new, 0 unchanged of 1,000 fetched.\n"
    landed(house)


def test_one_of_two_fails(failing: Begun, describe: Callable[..., str], twin: str) -> None:
    """The other one is brought up to date all the same; the sentence says which one it was."""
    house, running = failing["no such path"]
    running.ended()
    house.json("sync", "--spec", describe(house, base=twin, name="good"), SHOP_KEY=KEY)
    ran = house.run("sync", SHOP_KEY=KEY)
    ran.refused(77, r"^shop: 127\.0\.0\.1 has nothing at /v2/events", r"Check base_url")
    assert ran.out == "good: 0 new, 1,000 unchanged of 1,000 fetched.\n"
