"""Running a pure stage record by record in a child process, which may die of one (rule G15).

What no `except` catches, such as want of memory or a crash in a C library, ends the process. A
batch that has ended some is run here: who dies then is a child, and it is known of which record.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from headrace.engine.transform import Given, Transformed, transform
from headrace.plugins import stages
from headrace.provider import BadRecord
from headrace.stage import RawEvent, Row, Stage, StreamContext

_DEADLY = "The process ends that runs the stage"
_HINT = "Report it; retry the dead letter once the stage, or a library that it uses, is mended."

# Not a fork: a copy of a process with threads may hold a lock that nobody gives back.
_CONTEXT = multiprocessing.get_context("spawn")


def transform_in_child(one: Stage, given: Given, stream: StreamContext) -> Transformed:
    """As `transform` isolates what a stage fails on; what it dies of is one of the bad records."""
    rows: list[Row] = []
    bad: list[BadRecord] = []
    versions: list[int] = []
    with contextlib.closing(_Children(one.name, stream)) as children:
        for record in given:
            answer = children.ask(record)
            if isinstance(answer, str):
                answer = ([], [_dead(one, record, answer)], [record.version])
            rows += answer[0]
            bad += answer[1]
            versions += answer[2]
    return rows, bad, versions


def is_deadly(reason: str) -> bool:
    """Whether a dead letter was written for a record that processes die of."""
    return reason.startswith(_DEADLY)


def _dead(one: Stage, record: RawEvent | Row, how: str) -> BadRecord:
    return BadRecord(b"", f"{_DEADLY} {one.name} on it ({how}).", _HINT, record.source_id)


class _Children:
    """One child at a time; the next one when it has died."""

    def __init__(self, stage: str, stream: StreamContext) -> None:
        self._arguments = (stage, stream)
        self._child: tuple[BaseProcess, Connection] | None = None

    def close(self) -> None:
        """End the child that there is."""
        self._end()

    def ask(self, record: RawEvent | Row) -> Transformed | str:
        """What the stage makes of it; or how the second child died: the first one may have died of
        something else."""
        answer = self._ask(record)
        return self._ask(record) if isinstance(answer, str) else answer

    def _ask(self, record: RawEvent | Row) -> Transformed | str:
        self._child = self._child or self._start()
        line = self._child[1]
        try:
            line.send(record)
            answer: Transformed = line.recv()
        except (EOFError, OSError):
            return self._end()
        return answer

    def _start(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = _CONTEXT.Pipe()
        child = _CONTEXT.Process(target=_work, args=(theirs, *self._arguments), daemon=True)
        child.start()
        theirs.close()
        return child, ours

    def _end(self) -> str:
        """How it ended: by itself, or because its line was closed."""
        if self._child is None:
            return ""
        child, line = self._child
        self._child = None
        line.close()
        child.join()
        code = child.exitcode or 0
        child.close()
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _work(line: Connection, stage: str, stream: StreamContext) -> None:
    """What a child does until its line is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    with contextlib.suppress(OSError):
        # Where memory runs short, Linux ends this process and not the worker.
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    one = stages()[stage]
    with contextlib.suppress(EOFError):
        while True:
            record = line.recv()
            line.send(transform(one, [record], stream, isolate=True))
