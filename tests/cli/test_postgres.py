"""A PostgreSQL that is down, goes away or has no room left: said, waited for, and nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.cli.command import House, Running

from headrace.cli import watch
from headrace.errors import Unavailable
from headrace.store import embedded

if TYPE_CHECKING:
    from tests.cli.conftest import Landed

TOTAL = 6_000


@pytest.mark.parametrize(
    ("url", "code", "message", "hint"),
    [
        (
            "postgresql://postgres@127.0.0.1:9/x",
            69,
            r"^PostgreSQL does not answer: .*refused",
            "UR",
        ),
        (
            "postgresql://postgres@db.invalid/x",
            69,
            r"^PostgreSQL does not answer: .*db\.inva",
            "UR",
        ),
        (
            "mysql://root@127.0.0.1/x",
            64,
            r"^DATABASE_URL is not a PostgreSQL address\.$",
            "looks l",
        ),
        ("nonsense", 64, r"^DATABASE_URL is not a PostgreSQL address\.$", "postgresql://user"),
    ],
)
def test_it_is_not_there(bare: House, url: str, code: int, message: str, hint: str) -> None:
    """Covers A2.5: each command says the same at once, where `up` is not to wait for it. Standard
    output stays empty."""
    begun = [
        bare.start(*line.split(), DATABASE_URL=url, HEADRACE_DATABASE_WAIT="0", SERVICE_PORT="0")
        for line in (("check", "sync --json", "up") if "127" in url else ("search x",))
    ]
    for running in begun:
        ran = running.ended()
        ran.refused(code, message, hint)
        assert ran.out == ""
        assert ran.seconds < 30


def test_a_database_that_does_not_exist(bare: House, cluster: str) -> None:
    ran = bare.run("check", DATABASE_URL=cluster.replace("/headrace?", "/nowhere?"))
    ran.refused(
        69, r'does not answer: .*database "nowhere" does not exist', "DATABASE_URL names it"
    )


def begin(house: House, url: str, **environment: str) -> Running:
    """A sync of some seconds, once it has landed something."""
    running = house.start(
        "sync", "--json", API_BASE_URL=url, BATCH_SIZE="100", LOG_LEVEL="INFO", **environment
    )
    until = time.monotonic() + 60
    while _landed(house, environment.get("DATABASE_URL")) < 500:
        assert time.monotonic() < until, running.err
        assert running.process.poll() is None, running.err
        time.sleep(0.1)
    return running


def _landed(house: House, url: str | None) -> int:
    folder = house.home / "postgres"
    try:
        with psycopg.connect(url or embedded.status(folder).url) as connection:
            found = connection.execute("SELECT sum(inserted) FROM headrace.batches").fetchone()
    except psycopg.Error:
        return 0
    return int(found[0] or 0) if found else 0


def kill_server(folder: Path) -> None:
    pid = embedded.status(folder).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_ours_is_killed_and_comes_back(
    bare: House, twins: Callable[..., str], landed: Landed
) -> None:
    """Covers A2.34: the server in the data folder is started again by whoever uses it, and the sync
    goes on as if nothing had been."""
    running = begin(bare, twins(total=TOTAL, cursor_ttl_s=0, latency_ms=20))
    kill_server(bare.home / "postgres")
    ran = running.ended().ok()
    assert ran.json[0]["inserted"] == TOTAL
    assert len(ran.said) == 0, ran.err
    assert embedded.status(bare.home / "postgres").state == "stopped"
    landed(bare, TOTAL)


@pytest.fixture
def theirs(bare: House) -> Iterator[str]:
    """The URL of a server that somebody else looks after."""
    with embedded.postgres(bare.home / "theirs") as url:
        yield url


def test_theirs_stays_away(
    bare: House, theirs: str, twins: Callable[..., str], landed: Landed
) -> None:
    """Covers A2.34: said at once; whoever has waited enough can end it, and once it is back the
    same command completes."""
    url = twins(total=TOTAL, cursor_ttl_s=0, latency_ms=20)
    running = begin(bare, url, DATABASE_URL=theirs)
    kill_server(bare.home / "theirs")
    running.says(r"PostgreSQL does not answer: .*\. Waiting for it\.", 10)
    ran = running.stop(signal.SIGINT)
    ran.refused(130, r"^Stopped; everything landed", r"Go on with: headrace sync datasync")
    bare.run("sync", DATABASE_URL=theirs).refused(
        69, r"^PostgreSQL does not answer", "DATABASE_URL"
    )
    embedded.revive(bare.home / "theirs")
    bare.run("sync", DATABASE_URL=theirs).ok()
    bare.environment["DATABASE_URL"] = theirs
    landed(bare, TOTAL)


def test_waiting_for_it_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:9/x")
    with pytest.raises(Unavailable, match="does not answer"):
        watch._Look("postgresql://127.0.0.1:9/x", ["a job"])()


@pytest.fixture
def small_disk(bare: House) -> Iterator[Path]:
    """A file system of 8 MB; `grow` makes it larger."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("Only root can make a file system that is as small as this needs one.")
    place = bare.home / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "headrace-test", str(place)]
    made = subprocess.run(mount, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"No file system can be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        embedded.stop(place / "postgres", force=True)
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def grow(place: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(place)], check=True)


def test_no_room_left(
    bare: House, small_disk: Path, twins: Callable[..., str], landed: Landed
) -> None:
    """At the first start, and in the middle of a sync: the same sentence, and 69; with room made
    the same command goes on, and every event is there once."""
    total = 20_000
    home = {"HEADRACE_HOME": str(small_disk)}
    command = {**home, "API_BASE_URL": twins(total=total, cursor_ttl_s=0), "BATCH_SIZE": "1000"}
    full = (
        69,
        r"^PostgreSQL's disk is full; nothing that was committed is lost\.$",
        r"^  Free some",
    )
    bare.run("sync", **command).refused(*full)
    grow(small_disk, "80m")
    ran = bare.run("sync", "--json", **command)
    ran.refused(*full)
    assert ran.seconds < 60
    grow(small_disk, "600m")
    bare.run("sync", "--json", **command).ok()
    house = House(small_disk)
    landed(house, total)
