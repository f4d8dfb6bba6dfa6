"""Children for hire: started when needed, used again, replaced when a file has killed them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import LifoQueue
from types import TracebackType

from headrace.documents import wire
from headrace.documents.media import sniff
from headrace.documents.process import Child, Died
from headrace.documents.reading import ParserOptions, Reading
from headrace.documents.tools import check_tool, tool_for
from headrace.errors import BadInput, Skip

_DEFAULTS = ParserOptions()


class Parsers:
    """Reads files in at most `processes` children at a time; for use in a `with` statement.

    Any number of threads may call `read`: those beyond `processes` wait for a child.
    """

    def __init__(self, processes: int = 2) -> None:
        # The last one used is the next one used: an idle pool stays small.
        self._slots: LifoQueue[Child | None] = LifoQueue()
        for _ in range(processes):
            self._slots.put(None)
        self._processes = processes
        # One thread starts them all, because a child ends with the thread that started it.
        self._starter = ThreadPoolExecutor(1, "parsers")
        self._closed = False

    def __enter__(self) -> Parsers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, name: str, content: bytes, options: ParserOptions = _DEFAULTS) -> Reading:
        """The text of a file. `name` helps to tell what it is.

        Raises Skip when the file is bad in any way or costs more than `options` allow, and
        BadInput when `options` name a tool that does not exist or does not read this type.
        """
        check_tool(options.tool)
        media_type = sniff(name, content)
        tool_for(media_type, options.tool)
        answer = self._ask(wire.Request(media_type, options), content)
        if answer.reading is not None:
            return answer.reading
        if answer.mistake is not None:
            raise BadInput(answer.mistake[0], hint=answer.mistake[1])
        assert answer.fault is not None
        raise Skip(answer.fault[0], hint=answer.fault[1])

    def _ask(self, request: wire.Request, content: bytes) -> wire.Answer:
        """The answer of one child; a second is asked when it is not clear that the file did it."""
        child = self._slots.get()
        try:
            try:
                child = self._usable(child)
                return child.ask(request, content)
            except Died as died:
                _blame(died, request.options)
            child = self._usable(None)
            try:
                return child.ask(request, content)
            except Died as died:
                _blame(died, request.options)
                raise Skip(
                    f"The file ends every parser that reads it ({died.how}).",
                    hint="It is damaged or nested too deep: save it anew, or as a PDF.",
                ) from None
        finally:
            if child is not None and (child.worn or not child.alive):
                child.end()
                child = None
            self._slots.put(child)

    def _usable(self, child: Child | None) -> Child:
        if self._closed:
            raise RuntimeError("these parsers are closed")
        if child is not None and child.alive:
            return child
        return self._starter.submit(Child).result()

    def close(self) -> None:
        """Wait for the files that are being read, then end all children."""
        self._closed = True
        children = [self._slots.get() for _ in range(self._processes)]
        for child in children:
            if child is not None:
                child.end()
            self._slots.put(None)
        self._starter.shutdown()


def _blame(died: Died, options: ParserOptions) -> None:
    """Raises Skip when the way it died says that the file is to blame."""
    if died.late:
        raise Skip(
            f"The file took longer than {options.seconds:g} seconds to read.",
            hint="Split it, or raise the limit on seconds.",
        ) from None
    if died.hungry:
        message, hint = wire.too_much_memory(options)
        raise Skip(message, hint=hint) from None
