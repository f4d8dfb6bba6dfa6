"""An allowance in use: by walks of this process, by other processes, and by other programs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest
from benchmarks.allowance_worker import Counting, Did, Work
from tests.accounts import run

from headrace.engine.allowance import Allowance
from headrace.engine.lease import KEEP
from headrace.errors import Retry
from headrace.http import Client, Policy
from headrace.provider import Standing
from headrace.settings import Settings
from headrace.store import connections
from headrace.store.allowances import BURST
from headrace.twin import run_twin

ROW: dict[str, Any] = {"tenant_id": "acme", "user_id": "ann", "provider": "account"}


@pytest.fixture
def counting(engine_database: str) -> Iterator[Counting]:
    """A database that counts how often it is asked."""
    opened = Counting(engine_database, name="allowance tests", connections=4)
    opened.open()
    yield opened
    opened.close()


def allowance(database: Counting, grant: str = "account", rate: float | None = None) -> Allowance:
    """That of one connection of the account; each call is another connection's."""
    row = {**ROW, "name": "api", "grant_id": grant, "connection_id": f"{time.monotonic()}"}
    return Allowance(database, row, rate)


async def test_one_draw_pays_for_many_calls(counting: Counting) -> None:
    """Covers G11: of all walks of a process; those who come together wait for one draw."""
    walks = [allowance(counting, rate=6_000_000) for _ in range(5)]
    await asyncio.gather(*[walks[n % 5].spend(1) for n in range(50)])
    assert counting.asked == 2  # the first of them, and all the others
    for n in range(1_000):
        await walks[n % 5].spend(1)
    assert counting.asked <= 12


async def test_those_who_wait_together_are_put_off_together(counting: Counting) -> None:
    """Covers G11: a refused draw was made for all who waited for it; the next one is new."""
    api = allowance(counting, rate=60)
    await api.hold_off(600)
    counting.asked = 0
    found = await asyncio.gather(*[api.spend(1) for _ in range(20)], return_exceptions=True)
    assert {type(one) for one in found} == {Retry}
    assert counting.asked == 1
    with pytest.raises(Retry):
        await allowance(counting, rate=60).spend(1)
    assert counting.asked == 2


async def test_without_a_rate_and_without_numbers_nothing_is_counted(counting: Counting) -> None:
    """Covers G11: one look, and no row."""
    api = allowance(counting)
    for _ in range(100):
        await api.spend(1)
        await api.heard(None, refused=True)
    assert counting.asked == 1
    with counting.connection() as session:
        assert session.execute("SELECT FROM headrace.allowances").fetchall() == []


async def test_what_is_said_is_written_when_it_is_news(counting: Counting) -> None:
    """Covers G11: not for each answer, and from the first one on it holds for others."""
    api = allowance(counting)
    await api.spend(1)
    counting.asked = 0
    for left in range(999, 899, -1):
        await api.heard(Standing(1_000, left, 60), refused=False)
    assert counting.asked == 1
    await asyncio.sleep(1.1)  # it is said no more often than once a second
    await api.heard(Standing(1_000, 0, 59), refused=False)
    assert counting.asked == 2
    with pytest.raises(Retry) as refused:
        await allowance(counting).spend(1)
    assert 55 < (refused.value.after or 0) <= 60


async def test_a_refusal_is_everybody_s(counting: Counting) -> None:
    """Covers G10, G11: of this process at once, though it has a block; also without a rate."""
    api, other = allowance(counting, "free"), allowance(counting, "free")
    for _ in range(3):
        await other.spend(1)
    await api.hold_off(600)
    with pytest.raises(Retry):
        await other.spend(1)


def started(work: Work) -> subprocess.Popen[str]:
    """A process that is ready to call."""
    command = [sys.executable, "-m", "benchmarks.allowance_worker"]
    one = subprocess.Popen(
        [*command, msgspec.json.encode(work).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert one.stdout is not None
    assert one.stdout.readline() == "ready\n"
    return one


def begin(*ones: subprocess.Popen[str]) -> None:
    """Let them call."""
    for one in ones:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()


def done(*ones: subprocess.Popen[str]) -> list[Did]:
    """What they did."""
    return [msgspec.json.decode(one.communicate(timeout=120)[0], type=Did) for one in ones]


def test_processes_share_a_rate_and_a_killed_one_harms_nobody(engine_database: str) -> None:
    """Covers G11: by the source's own ledger: in no window are there more calls than are earned in
    it and what may be kept. One is killed with what it has drawn; the others get its part."""
    rate, seconds = 40.0, 6.0
    with run_twin(total=1_000, latency_ms=10) as twin:
        work = Work(
            database=engine_database,
            source=twin,
            per_minute=60 * rate,
            seconds=seconds,
            at_once=2,
        )
        doomed = started(work)
        rest = [started(work) for _ in range(2)]
        begin(doomed, *rest)
        time.sleep(2)
        doomed.kill()
        doomed.communicate()
        found = done(*rest)
        calls = moments(twin)
    assert sum(one.calls for one in found) > 0.8 * rate * (seconds - 3)
    late = 0.2  # seconds between a call and its entry
    for first, began in enumerate(calls):
        for last in range(first, len(calls)):
            earned = rate * (calls[last] - began + BURST + KEEP + late)
            assert last - first + 1 <= earned + 3  # and what each of the three paid for last


def moments(twin: str) -> list[float]:
    """When the twin was asked, in seconds."""
    return [entry["atMs"] / 1_000 for entry in stats(twin)["log"]]


def stats(twin: str) -> dict[str, Any]:
    """What the twin has served."""
    with urlopen(f"{twin}/admin/stats?log=10000") as answer:
        return dict(msgspec.json.decode(answer.read()))


def test_what_a_source_says_is_enough(engine_database: str) -> None:
    """Covers G11, A2.31: without any rate that is configured, and though another program uses up a
    part of it: after the first window, of which everybody has to hear, nobody is refused."""
    with run_twin(total=1_000, latency_ms=10, rate_limit="60/4") as twin:
        work = Work(
            database=engine_database,
            source=twin,
            seconds=12.0,
            warm=4.0,
            at_once=1,
            patient=True,
        )
        ones = [started(work) for _ in range(3)]
        begin(*ones)
        for _ in range(10):  # somebody else
            time.sleep(0.9)
            asyncio.run(call(twin))
        found = done(*ones)
    calls, late = (sum(getattr(one, name) for one in found) for name in ("calls", "refused_late"))
    assert late <= 0.01 * calls + 1
    assert calls > 0.7 * 60 * 3 - 10


async def test_a_rest_source_is_governed_by_its_answers(counting: Counting) -> None:
    """Covers G11, A2.31: a whole sync of more pages than its API allows at once, and no refusal."""
    with run_twin(total=300, rate_limit="6/2") as twin:
        stream = {"path": "/events", "time": "timestamp", "limit": {"value": 20}}
        spec = {"name": "feed", "base_url": twin, "streams": {"events": stream}}
        with counting.transaction() as session:
            row = connections.save(
                session, tenant="acme", user="ann", provider="rest", name="feed", config=spec
            )
        settings = Settings(_env_file=None, headrace_private_hosts=True)
        [ended] = await run(counting, settings, row)
        by_status = (await asyncio.to_thread(stats, twin))["byStatus"]
    assert (ended.state, ended.inserted) == ("done", 300)
    assert by_status == {"200": 15}


async def call(twin: str) -> None:
    """One request, whatever comes of it."""
    client = Client(twin, policy=Policy(private_hosts=True, retries=0))
    try:
        await client.request("GET", "/events?limit=1", allow={429})
    finally:
        await client.aclose()
