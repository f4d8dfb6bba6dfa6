"""One page of a bucket's listing (ListObjectsV2), read."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from urllib.parse import quote, unquote_plus
from xml.etree.ElementTree import Element, ParseError, fromstring

import msgspec

from headrace.http import Answer, Nonsense

_LARGEST = 16 << 20  # bytes: a thousand keys of a kilobyte, each of it encoded, are four


class Object(msgspec.Struct, frozen=True):
    """An object as listed. `key` is None where it is not text."""

    key: str | None
    mark: str
    size: int
    modified: datetime | None


class Listing(msgspec.Struct):
    """Objects in the order of their keys' bytes, whether there are more, and after which key."""

    objects: list[Object]
    more: bool
    last: str


def query(prefix: str, after: str, most: int) -> str:
    """The query that asks for the page after a key, sorted as it is signed."""
    asked = {"encoding-type": "url", "list-type": "2", "max-keys": str(most), "prefix": prefix}
    if after:
        asked["start-after"] = after
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())


def read(answer: Answer, after: str) -> Listing:
    """The page. Raises Nonsense (a Retry) for what is none, or not in order."""
    try:
        if len(answer.body) > _LARGEST:
            raise ValueError("too large")
        # Nothing outside is loaded, and expat itself bounds what entities expand to.
        root = fromstring(answer.body)  # noqa: S314 - as above
        if _name(root) != "ListBucketResult":
            raise ValueError("something else")
        encoded = _text(root, "EncodingType") == "url"
        contents = [one for one in root if _name(one) == "Contents"]
        objects = [_object(one, encoded=encoded) for one in contents]
    except (ParseError, ValueError) as error:
        raise Nonsense(
            f"{answer.host} answered with something that is no listing of a bucket.",
            hint="Check aws.endpoint_url.",
        ) from error
    keys = [after, *(one.key for one in objects if one.key is not None)]
    more = _text(root, "IsTruncated") == "true"
    if any(one >= two for one, two in pairwise(keys)) or (more and len(keys) < 2):
        raise Nonsense(
            f"{answer.host} does not list the bucket in the order of its keys.",
            hint="Only stores that do can be walked.",
        )
    return Listing(objects, more, keys[-1])


def _object(element: Element, *, encoded: bool) -> Object:
    key: str | None = _text(element, "Key")
    if encoded:
        try:
            key = unquote_plus(_text(element, "Key"), errors="strict")
        except UnicodeDecodeError:
            key = None
    size = int(_text(element, "Size"))
    tag = _text(element, "ETag").strip('"')[:200]
    try:
        modified = datetime.fromisoformat(_text(element, "LastModified"))
    except ValueError:
        modified = None
    return Object(key if key and "\0" not in key else None, f"{tag}:{size}", size, modified)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: Element, name: str) -> str:
    return next((one.text or "" for one in element if _name(one) == name), "")
