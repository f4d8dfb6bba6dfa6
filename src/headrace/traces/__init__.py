"""Traces, for whoever collects them by OpenTelemetry: HTTP, job, step, SQL. Off unless
HEADRACE_TRACES_URL is set; then nothing of it is imported, and a span costs nothing."""
