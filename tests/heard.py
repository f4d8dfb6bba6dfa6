"""What a process would log, heard by a test."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
import structlog

from headrace import telemetry


@contextmanager
def heard(level: str = "INFO") -> Iterator[io.StringIO]:
    """What is logged meanwhile, from this level on, as it is in production."""
    lines = io.StringIO()
    with patch("sys.stderr", lines):
        telemetry.configure(level)
        yield lines
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """The same for each test of a folder whose conftest has this."""
    with heard() as lines:
        yield lines
