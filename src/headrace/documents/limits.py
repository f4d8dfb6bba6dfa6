"""What a child may use: set by the child itself, before it looks at a file."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_FILE_SIZE = 256 << 20
"""Bytes of the largest file that a parser may write (Tesseract's scratch files)."""
_UNLIMITED = resource.RLIM_INFINITY
_CORES = 2.0
"""CPU seconds allowed per second of wall time: libraries have threads of their own."""


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that happens.

    Elsewhere than on Linux the end of the pipe has to do, which is seen after the current file.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's business
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)  # it ended before the kernel was asked


def limit_for_good() -> None:
    """No core dumps, no huge files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_SIZE, _FILE_SIZE))


def limit_one_file(memory: int, seconds: float) -> None:
    """Allow `memory` bytes of address space beyond what is in use now, and CPU time in keeping
    with `seconds` of wall time: the parent's clock is stricter, unless the parent is gone."""
    if sys.platform == "linux":
        _set_soft(resource.RLIMIT_AS, _statm(0) + memory)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set_soft(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + _CORES * seconds) + 2)


def lift_memory_limit() -> None:
    """Between two files the answer is written: that must not fail."""
    if sys.platform == "linux":
        _set_soft(resource.RLIMIT_AS, _UNLIMITED)


def resident() -> int:
    """Bytes of memory that this process holds."""
    if sys.platform == "linux":
        return _statm(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _statm(field: int) -> int:
    """A field of /proc/self/statm in bytes: 0 is address space, 1 is resident memory."""
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123
        return int(statm.read().split()[field]) * resource.getpagesize()


def _set_soft(kind: int, limit: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (limit if hard == _UNLIMITED else min(limit, hard), hard))
