"""The children: how many, whose, how long, and what becomes of them."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import psutil
import pytest
from tests.documents import made

from headrace.documents import ParserOptions, Parsers, process
from headrace.errors import Skip

_HEAVY = [f"{random.Random(number).random()}" for number in range(100_000)]
_PARENT = """
import psutil
from threading import Thread
from headrace.documents import Parsers

parsers = Parsers(processes=2)
ready = [Thread(target=parsers.read, args=("a.txt", b"x" * (64 << 20))) for _ in range(2)]
for one in ready:
    one.start()
for one in ready:
    one.join()
print(*[child.pid for child in psutil.Process().children()], flush=True)
input()
"""


_others: set[int] = set()


@pytest.fixture(autouse=True)
def _earlier() -> None:
    """Parsers that an earlier test's stages keep for this process are not these tests'."""
    _others.clear()
    _others.update([child.pid for child in _children()])


def _children() -> list[psutil.Process]:
    """The parsers among this process's children: PostgreSQL may be one too."""
    return [
        child
        for child in psutil.Process().children()
        if child.pid not in _others
        and child.status() != psutil.STATUS_ZOMBIE
        and "headrace.documents.child" in child.cmdline()
    ]


def _until(happened: Callable[[], bool]) -> None:
    """Look until it has happened: other processes send no event for what is looked at here."""
    end = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_children_start_late_stay_and_go() -> None:
    """No file, no child; many files, one child, also for threads that end; none after the end."""
    with Parsers(processes=3) as parsers:
        assert _children() == []
        for _ in range(5):
            thread = Thread(target=parsers.read, args=("a.docx", made.docx(["a"])))
            thread.start()
            thread.join()
        (first,) = _children()
        parsers.read("a.txt", b"a")
        assert _children() == [first]
    assert _children() == []
    with pytest.raises(RuntimeError):
        parsers.read("a.txt", b"a")


def test_eight_threads_at_once() -> None:
    """Eight threads share two children; each gets the text of its own file."""
    with Parsers(processes=2) as parsers, ThreadPoolExecutor(8) as threads:

        def read(number: int) -> str:
            if number % 10 == 0:
                with pytest.raises(Skip):
                    parsers.read("a.pdf", made.locked_pdf())
            words = [f"file {number}"]
            content, name = [(made.docx(words), "a.docx"), (made.pdf(words), "a.pdf")][number % 2]
            return parsers.read(name, content).text.splitlines()[-1]

        assert list(threads.map(read, range(80))) == [f"file {number}" for number in range(80)]
        assert 1 <= len(_children()) <= 2


def test_two_hundred_files_without_growth() -> None:
    """One child reads them all, and holds hardly more after the last than after the 50th."""
    with Parsers(processes=1) as parsers:
        sizes = []
        for number in range(200):
            words = [f"{number} {word}" for word in _HEAVY[:300]]
            parsers.read("a.docx", made.docx(words))
            parsers.read("a.pdf", made.pdf(words[:3]))
            (child,) = _children()
            sizes.append((child.pid, child.memory_info().rss))
        assert len({pid for pid, _ in sizes}) == 1
        assert sizes[-1][1] - sizes[49][1] < 8 << 20


def test_a_worn_child_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many files, or once it has grown so much, the next file gets a fresh child."""
    with Parsers(processes=1) as parsers:
        pids = []
        monkeypatch.setattr(process, "FILES", 3)
        for _ in range(6):
            parsers.read("a.txt", b"a")
            pids.append([child.pid for child in _children()])
        assert pids[0] == pids[1] != []
        assert pids[2] == []
        assert pids[3] == pids[4] != pids[0]
        parsers.read("a.txt", b"a")
        monkeypatch.setattr(process, "GROWTH", 1 << 20)
        parsers.read("a.docx", made.docx(_HEAVY[:20_000]))
        assert _children() == []


def test_a_child_killed_by_others_is_not_the_files_fault() -> None:
    """SIGKILL in the middle of a file: a fresh child reads it. So too when it comes between."""
    content = made.docx(_HEAVY)
    with Parsers(processes=1) as parsers, ThreadPoolExecutor(1) as thread:
        parsers.read("a.docx", made.docx(["a"]))
        (child,) = _children()
        before = sum(child.cpu_times()[:2])
        reading = thread.submit(parsers.read, "a.docx", content)
        _until(lambda: sum(child.cpu_times()[:2]) > before + 0.03)
        child.kill()
        assert reading.result().text.rstrip().endswith(_HEAVY[-1])
        (other,) = _children()
        other.kill()
        assert parsers.read("a.txt", b"a").text == "a"


def test_a_child_that_hangs_is_ended_by_the_clock() -> None:
    """A stopped child neither reads nor answers; the reader waits no longer than it said."""
    with Parsers(processes=1) as parsers:
        parsers.read("a.txt", b"a")
        (child,) = _children()
        child.suspend()
        began = time.monotonic()
        with pytest.raises(Skip, match="longer than"):
            # More than fits into a pipe, so that it is the writing that has to be ended.
            parsers.read("a.txt", b"x" * (1 << 20), ParserOptions(seconds=0.3))
        assert time.monotonic() - began < 3
        assert parsers.read("a.txt", b"a").text == "a"


def test_children_end_with_a_parent_that_is_killed() -> None:
    """SIGKILL of the parent ends its children: one that is stopped, and so cannot see it, too."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    assert len(children) == 2
    if sys.platform == "linux":
        children[0].suspend()
    parent.kill()
    parent.wait()
    assert psutil.wait_procs(children, timeout=10)[1] == []
    parent.stdin.close()
    parent.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process holds")
def test_children_inherit_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket of the parent's, even an inheritable one, and no secret of its environment."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:secret@localhost/x")
    with socket.socket() as listening, Parsers(processes=1) as parsers:
        listening.set_inheritable(True)
        parsers.read("a.docx", made.docx(["a"]))
        (child,) = _children()
        held = [str(one.readlink()) for one in Path(f"/proc/{child.pid}/fd").iterdir()]
        assert f"socket:[{os.fstat(listening.fileno()).st_ino}]" not in held
        assert "DATABASE_URL" not in child.environ()
        assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)


def test_what_libraries_print_stays_out_of_the_answers() -> None:
    """Native code that writes to standard output does not get between the frames."""
    code = (
        "import os; from headrace.documents.child import take_the_pipes;"
        "_, answers = take_the_pipes(); os.write(1, b'noise'); answers.write(b'answer');"
        "answers.flush()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"answer", b"noise")


def test_ctrl_c_is_for_the_parent() -> None:
    """A child ignores SIGINT: who pressed Ctrl-C wants the parent to end in good order."""
    with Parsers(processes=1) as parsers:
        parsers.read("a.txt", b"a")
        (child,) = _children()
        child.send_signal(signal.SIGINT)
        parsers.read("a.txt", b"a")
        assert _children() == [child]
