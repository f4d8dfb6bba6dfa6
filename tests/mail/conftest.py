"""Mails to understand, and the stage as the engine calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from headrace.rows import InteractionRow
from headrace.stage import RawEvent, StreamContext
from headrace.stages.normalise_mail import normalize_mail


@pytest.fixture
def normalise() -> Callable[..., InteractionRow]:
    """Run the stage on one mail: its row."""

    def run(data: bytes, *, stream: str = "a.mbox", own: tuple[str, ...] = ()) -> InteractionRow:
        raw = RawEvent(source_id="id-1", version=3, occurred_at=None, payload=data)
        context = StreamContext(
            provider="mailbox",
            stream=stream,
            content="message/rfc822",
            config="{}",
            addresses=frozenset(own),
        )
        [row] = normalize_mail.run(raw, context)
        return cast("InteractionRow", row)

    return run
