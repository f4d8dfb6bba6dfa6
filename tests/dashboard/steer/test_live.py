"""Server-sent events: what changed is told, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.testclient import TestClient

from headrace.errors import Unauthorized, Unavailable
from headrace.out.live import News, Watchers


def told(look: Callable[[], News], most: int = 4) -> str:
    """Everything that one who watches is told, to its end."""
    app = FastAPI()
    app.state.leaving = Event()
    watchers = Watchers("things", most=most, tick_seconds=0.001)

    @app.get("/")
    def watch(request: Request) -> StreamingResponse:
        return watchers.answer(request, look)

    with TestClient(app) as client:
        return client.get("/").text


def seen(*news: News) -> Callable[[], News]:
    """Looks that see these one after the other."""
    rest = list(news)
    return lambda: rest.pop(0)


def test_only_what_is_new_is_told_and_the_last_ends_it() -> None:
    one, two = News("progress", "1"), News("progress", "2")
    text = told(seen(one, one, one, two, two, News("end", "2", last=True)))
    assert text == (
        "retry: 2000\n\n"
        "event: progress\ndata: 1\n\n"
        "event: progress\ndata: 2\n\n"
        "event: end\ndata: 2\n\n"
    )


def test_text_of_any_lines_arrives_whole() -> None:
    """A line that began without `data:` would be lost, and others end where a browser ends none."""
    text = told(seen(News("live", "a\rb\r\nc\u2028d\n\ne", last=True)))
    assert text.endswith("event: live\ndata: a\ndata: b\ndata: c\u2028d\ndata: \ndata: e\n\n")


def test_who_may_not_look_any_more_is_hung_up_on() -> None:
    looks = 0

    def look() -> News:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise Unauthorized("The key has been revoked.", hint="Use another.")
        return News("progress", str(looks))

    assert told(look).count("event:") == 2


def test_too_many_watchers_are_told_so() -> None:
    with pytest.raises(Unavailable, match="Too many things are watched"):
        told(seen(News("end", "", last=True)), most=0)
