"""A folder that PostgreSQL's account can enter, and users of its server in other processes."""

from __future__ import annotations

import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.places import made_folder

from headrace.store import embedded

_SCRIPT = Path(__file__).with_name("user_process.py")


@pytest.fixture
def empty() -> Iterator[Path]:
    """Where a cluster may be made; whatever runs there afterwards is stopped and removed."""
    home = made_folder("embedded")
    yield home / "postgres"
    embedded.stop(home / "postgres", force=True)
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """Data that was made once, to be copied: a copy takes a tenth of the time."""
    home = made_folder("embedded")
    with embedded.postgres(home / "postgres"):
        pass
    yield home / "postgres" / "data"
    shutil.rmtree(home)


@pytest.fixture
def folder(empty: Path, made: Path) -> Path:
    """A folder with a cluster in it that does not run."""
    empty.mkdir()
    empty.chmod(0o711)
    subprocess.run(["cp", "-Rp", str(made), str(empty / "data")], check=True)
    return empty


class User:
    """Another process inside `with postgres(folder)`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(_SCRIPT), str(folder), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def entered(self) -> list[str]:
        """Wait until it is in; its URL and, when it was told to fork, its child's process id."""
        return self._line().split()

    def is_in(self, *, seconds: float) -> bool:
        """Whether it comes in within this time."""
        assert self.process.stdout
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def leave(self) -> None:
        """Tell it to leave and wait until it has."""
        assert self.process.stdin
        self.process.stdin.close()
        assert self._line() == "left\n"
        assert self.process.wait() == 0

    def kill(self) -> None:
        """SIGKILL, and wait until it is dead."""
        self.process.kill()
        self.process.wait()

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()


@pytest.fixture
def user(empty: Path) -> Iterator[Callable[..., User]]:
    """Start a user of the test's folder, which may be the empty one."""
    users: list[User] = []

    def start(*options: str) -> User:
        users.append(User(empty, *options))
        return users[-1]

    yield start
    for each in users:
        each.kill()
        for pipe in (each.process.stdin, each.process.stdout):
            assert pipe
            pipe.close()
