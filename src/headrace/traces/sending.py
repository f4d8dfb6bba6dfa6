"""Sending traces to a collector, by OTLP over HTTP, beside the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headrace import __version__
from headrace.errors import BadInput
from headrace.settings import Settings
from headrace.traces import spans

_END_SECONDS = 3.0
"""What is not sent by then when a process ends is lost."""


@contextmanager
def sent(settings: Settings) -> Iterator[None]:
    """Traces are sent while the context lasts; none where no address is set. A collector that is
    away holds nothing up. Raises BadInput where the extra is not installed."""
    url = settings.headrace_traces_url
    if url is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise BadInput(
            "HEADRACE_TRACES_URL is set, and what sends traces is not installed.",
            hint="Install the extra: pip install 'headrace[otel]'.",
        ) from None
    about = Resource.create({"service.name": "headrace", "service.version": __version__})
    provider = TracerProvider(resource=about, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=_END_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    spans.use(provider.get_tracer("headrace", __version__))
    try:
        yield
    finally:
        spans.use(None)
        provider.force_flush(int(_END_SECONDS * 1000))
        provider.shutdown()
