"""What events say: the words of a small shop, put together into a few thousand phrases.

Varied enough that a full-text or semantic search for a product, a page, a campaign or an error
message means something; small enough (under 1 MB) to be made once and held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from hashlib import shake_128
from typing import Any

import msgspec

from headrace.twin.words import (
    ARTICLES,
    BUTTONS,
    CAMPAIGNS,
    ENDPOINTS,
    ERRORS,
    FORMS,
    MESSAGES,
    PAGES,
    PRODUCTS,
    REFERRERS,
    SERVICES,
)

_CONTENTS, _MEASURES = 2_048, 1_024

Draw = Iterator[int]


def _one(words: tuple[str, ...], draw: Draw) -> str:
    return words[next(draw) % len(words)]


def _path(title: str) -> str:
    return "/" + title.lower().replace(" ", "-").replace("'", "")


def _click(draw: Draw) -> tuple[str, dict[str, Any]]:
    button, product = _one(BUTTONS, draw), _one(PRODUCTS, draw)
    return f"Clicked {button}", {"element": button, "product": product, "page": _path(product)}


def _page_view(draw: Draw) -> tuple[str, dict[str, Any]]:
    title = _one(PAGES + PRODUCTS + ARTICLES, draw)
    return f"Viewed {title}", {"page": _path(title), "title": title, "from": _one(PAGES, draw)}


def _api_call(draw: Draw) -> tuple[str, dict[str, Any]]:
    endpoint = _one(ENDPOINTS, draw)
    status = (200, 200, 201, 204, 404, 500)[next(draw) % 6]
    return endpoint, {"endpoint": endpoint, "statusCode": status, "service": _one(SERVICES, draw)}


def _form_submit(draw: Draw) -> tuple[str, dict[str, Any]]:
    form = _one(FORMS, draw)
    return f"Submitted {form}", {"form": form, "message": _one(MESSAGES, draw)}


def _scroll(draw: Draw) -> tuple[str, dict[str, Any]]:
    title = _one(ARTICLES + PRODUCTS, draw)
    return f"Scrolled {title}", {"page": _path(title), "depthPercent": 25 * (1 + next(draw) % 4)}


def _purchase(draw: Draw) -> tuple[str, dict[str, Any]]:
    product, quantity = _one(PRODUCTS, draw), 1 + next(draw) % 3
    amount = quantity * (5 + next(draw)) + 0.95
    return f"Bought {product}", {
        "product": product,
        "quantity": quantity,
        "amount": amount,
        "currency": _one(("EUR", "CHF", "USD", "GBP"), draw),
    }


def _error(draw: Draw) -> tuple[str, dict[str, Any]]:
    service = _one(SERVICES, draw)
    return f"Error in {service}", {"message": _one(ERRORS, draw), "service": service}


def _video_play(draw: Draw) -> tuple[str, dict[str, Any]]:
    title = _one(ARTICLES, draw)
    return f"Played {title}", {"video": title, "positionSeconds": next(draw)}


_KINDS: tuple[tuple[str, int, Callable[[Draw], tuple[str, dict[str, Any]]]], ...] = (
    ("page_view", 30, _page_view),
    ("click", 25, _click),
    ("api_call", 14, _api_call),
    ("scroll", 10, _scroll),
    ("form_submit", 7, _form_submit),
    ("purchase", 6, _purchase),
    ("error", 4, _error),
    ("video_play", 4, _video_play),
)
"""Event type, its share in percent, and what makes its name and properties."""


def _draw(salt: bytes, number: int) -> Draw:
    # Not the random module: its choices may differ between Python versions, a digest's do not.
    return iter(shake_128(b"%b %d" % (salt, number)).digest(16))


@cache
def contents() -> tuple[bytes, ...]:
    """The first half of events: `"type":..,"name":..,"properties":{..` with the object open."""
    made = []
    kinds = [(name, make) for name, percent, make in _KINDS for _ in range(percent)]
    for number in range(_CONTENTS):
        kind, make = kinds[number % len(kinds)]
        name, properties = make(_draw(b"content", number))
        text = msgspec.json.encode({"type": kind, "name": name, "properties": properties})
        made.append(text.removeprefix(b"{").removesuffix(b"}}"))
    return tuple(made)


@cache
def measures() -> tuple[bytes, ...]:
    """The second half of events: `,"campaign":..,..}` which closes their properties."""
    made = []
    for number in range(_MEASURES):
        draw = _draw(b"measure", number)
        properties = {
            "campaign": _one(CAMPAIGNS, draw),
            "referrer": _one(REFERRERS, draw),
            "durationMs": 5 + 37 * next(draw),
        }
        made.append(b"," + msgspec.json.encode(properties).removeprefix(b"{"))
    return tuple(made)
