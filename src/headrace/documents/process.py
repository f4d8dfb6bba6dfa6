"""One child process as its parent sees it: start it, ask it about one file, tell how it died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from typing import BinaryIO, cast

from headrace.documents import wire

FILES = 1_000
"""Files after which a child is replaced ..."""
GROWTH = 256 << 20
"""... or once it holds this many bytes more than after its first file."""

# Nothing that could be a secret, such as a database's URL, is handed to a parser.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TESSDATA_PREFIX")
_PYTHON = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_LAST_WORDS = 64 << 10
_OUT_OF_MEMORY = (b"memory allocation of", b"MemoryError", b"bad_alloc", b"out of memory")


class Died(Exception):
    """The child ended while it had a file. `late`: by the clock; `hungry`: for want of memory."""

    def __init__(self, *, late: bool, hungry: bool, how: str) -> None:
        super().__init__(how)
        self.late = late
        self.hungry = hungry
        self.how = how


class Child:
    """A running child. Start it from a thread that lives as long as it shall: Linux ends it with
    the thread that started it, not only with the process."""

    def __init__(self) -> None:
        # What libraries print as they die: it tells want of memory from other deaths.
        self._said = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "headrace.documents.child", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={name: os.environ[name] for name in _ENVIRONMENT + _PYTHON if name in os.environ}
            # Fewer arenas, less address space taken and never given back.
            | {"MALLOC_ARENA_MAX": "2"},
            start_new_session=True,  # Ctrl-C is for the parent
        )
        self._requests = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)
        self._files = 0
        self._at_first = 0
        self._resident = 0
        self._last_words = b""

    @property
    def worn(self) -> bool:
        """Whether it has read so much, or grown so large, that another should take its place."""
        return self._files >= FILES or self._resident > self._at_first + GROWTH

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def ask(self, request: wire.Request, content: bytes) -> wire.Answer:
        """What it says of one file. Raises Died; the child is of no more use then."""
        os.ftruncate(self._said.fileno(), 0)
        late = threading.Event()
        clock = threading.Timer(request.options.seconds, self._stop, [late])
        clock.daemon = True
        clock.start()
        try:
            wire.send(self._requests, wire.encode(request))
            wire.send(self._requests, content)
            answer = wire.decode_answer(wire.receive(self._answers))
        except (OSError, EOFError):
            self.end()
            raise self._died(late.is_set()) from None
        except BaseException:
            self.end()  # interrupted: its answer must not become the next file's
            raise
        finally:
            clock.cancel()
        self._files += 1
        self._resident = answer.resident
        self._at_first = self._at_first or answer.resident
        return answer

    def _stop(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()

    def _died(self, late: bool) -> Died:
        code = self._process.returncode
        try:
            how = f"signal {signal.Signals(-code).name}"
        except ValueError:
            how = f"exit code {code}"
        hungry = any(words in self._last_words for words in _OUT_OF_MEMORY)
        return Died(late=late or how == "signal SIGXCPU", hungry=hungry, how=how)

    def end(self) -> None:
        """Kill it, wait for it, and close what led to it."""
        self._process.kill()
        self._process.wait()
        if not self._said.closed:
            self._last_words = os.pread(self._said.fileno(), _LAST_WORDS, 0)
            self._said.close()
        self._answers.close()
        try:
            self._requests.close()
        except OSError:
            pass  # what it never read is of no use to anybody
