"""What every contender of `make bench-jobs` shares: its arguments, its roles, its notes.

Imported in the peers' environment as well, so it needs nothing but Python.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

_NOTE = struct.Struct("dd")


class Arguments(argparse.Namespace):
    """ROLE to play, URL of the server, folder for NOTES, PLACES of a worker."""

    role: str
    url: str
    notes: Path
    places: int


def arguments() -> Arguments:
    """What `benchmarks.jobs_contenders` has called a contender with."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("prepare", "work", "feed"))
    parser.add_argument("url")
    parser.add_argument("notes", type=Path)
    parser.add_argument("places", type=int)
    return parser.parse_args(namespace=Arguments())


class Notebook:
    """The one thing an empty job does: 16 bytes, when it was sent and when it began."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / str(os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, sent: float) -> None:
        """A job has begun. From any thread."""
        os.write(self._file, _NOTE.pack(sent, time.time()))


def noted(folder: Path) -> list[tuple[float, float]]:
    """When each job was sent and began, those of all workers."""
    return [one for file in folder.iterdir() for one in _NOTE.iter_unpack(file.read_bytes())]


def count(folder: Path) -> int:
    """How many jobs have begun."""
    return sum(file.stat().st_size for file in folder.iterdir()) // _NOTE.size


def feed(one: Callable[[], object], many: Callable[[int], object]) -> None:
    """Send jobs as standard input says, a line for each order, and answer with the seconds it took:
    `1` sends one job, a larger number that many in the contender's own way for many."""
    print(json.dumps(0), flush=True)  # it is ready
    for line in sys.stdin:
        number, began = int(line), time.perf_counter()
        one() if number == 1 else many(number)
        print(json.dumps(time.perf_counter() - began), flush=True)
