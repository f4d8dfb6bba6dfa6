"""Spans: what was done as part of what, and how long it took."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ParamSpec, TypeVar, cast

from headrace.logs.about import about, present

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")

_tracer: Any = None
"""OpenTelemetry's, while traces are sent: see `traces.sending`."""


def use(tracer: Any) -> None:
    """Make spans with this tracer from now on; with None, none."""
    global _tracer
    _tracer = tracer


def on() -> bool:
    """Whether traces are sent."""
    return _tracer is not None


def span(
    name: str, *, parent: str | None = None, asked: bool = False, **facts: str | int | None
) -> AbstractContextManager[Any]:
    """A span in this context; it gives OpenTelemetry's span, or None where no traces are sent.

    `parent` is a traceparent as the W3C has it; without one, what goes on in this context is.
    `asked`: somebody else's request is answered. `facts` become attributes, and so do the ids that
    lines of the log carry.
    """
    if _tracer is None:
        return nullcontext()
    return _span(name, parent, asked, facts)


@contextmanager
def _span(
    name: str, parent: str | None, asked: bool, facts: dict[str, str | int | None]
) -> Iterator[Any]:
    from opentelemetry.trace import SpanKind, Status, StatusCode, format_span_id, format_trace_id
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    around = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    told = {**{f"headrace.{name}": one for name, one in present().items()}, **facts}
    with _tracer.start_as_current_span(
        name,
        context=around,
        kind=SpanKind.SERVER if asked else SpanKind.INTERNAL,
        attributes={key: one for key, one in told.items() if one is not None},
        record_exception=False,  # its words may be anything
        set_status_on_exception=False,
    ) as made:
        seen = made.get_span_context()
        ids = {"traceId": format_trace_id(seen.trace_id), "spanId": format_span_id(seen.span_id)}
        with about(**ids):
            try:
                yield made
            except BaseException as error:
                made.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


def carrier() -> str | None:
    """The traceparent of what goes on in this context; None where there is none."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    held: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(held)
    return held.get("traceparent")


def within() -> bool:
    """Whether this context is part of a trace that is sent."""
    if _tracer is None:
        return False
    from opentelemetry.trace import get_current_span

    return bool(get_current_span().is_recording())


def traced(name: str) -> Callable[[Callable[Asked, Answer]], Callable[Asked, Answer]]:
    """A function, each call of which is a span; sync or async."""

    def decorate(function: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def later(*given: Any, **named: Any) -> Any:
                with span(name):
                    return await function(*given, **named)

            return cast("Callable[Asked, Answer]", later)

        @functools.wraps(function)
        def now(*given: Asked.args, **named: Asked.kwargs) -> Answer:
            with span(name):
                return function(*given, **named)

        return now

    return decorate
