"""A bucket of an S3-compatible store: its keys are paths, their order is the listing's own.

Asked for by the one HTTP client, so that its guard holds here as well. `obstore` was measured: one
key such as `a//b` fails its whole listing, and it follows redirects to wherever they lead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar
from urllib.parse import quote, unquote_plus
from xml.etree.ElementTree import Element, ParseError, fromstring

from headrace.errors import Retry, Skip
from headrace.files.bucket_errors import list_error, read_error
from headrace.files.local import MANY
from headrace.files.pattern import Selection, hidden
from headrace.files.place import MOST_BYTES, Item
from headrace.files.signing import Keys, signed
from headrace.http import Answer, Client, Policy
from headrace.text import one_line

_KEYS = 1_000  # of one request
_SECONDS = 300.0  # for a large object
_REFUSED = frozenset({301, 307, 400, 401, 403, 404})
T = TypeVar("T")


class Ask(Protocol):
    """Runs a request on the event loop, for a thread that waits for it."""

    def __call__(self, client: Client, url: str, headers: Mapping[str, str]) -> Answer: ...


def on_loop(loop: asyncio.AbstractEventLoop) -> Ask:
    """Asks on this loop; to be called from other threads."""

    def ask(client: Client, url: str, headers: Mapping[str, str]) -> Answer:
        request = client.request("GET", url, headers=headers, allow=_REFUSED)
        return asyncio.run_coroutine_threadsafe(request, loop).result()

    return ask


class Bucket:
    """The objects whose keys begin with `prefix` and are selected. Ids are whole keys."""
