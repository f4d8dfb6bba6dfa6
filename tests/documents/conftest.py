"""One pool for the tests that only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headrace.documents import Parsers


@pytest.fixture(scope="module")
def parsers() -> Iterator[Parsers]:
    with Parsers(processes=1) as parsers:
        yield parsers
