"""Query parameters read strictly: each method has a struct of what it takes, and nothing else goes.

In a struct a tuple is a parameter that may be repeated.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeVar, get_origin

import msgspec
from msgspec import Meta

from headrace.twin.google.problem import bad_parameter
from headrace.twin.message import Request

ANYWHERE = {"alt", "fields", "key", "prettyPrint", "quotaUser"}
"""What every method takes."""

AtLeastOne = Annotated[int, Meta(ge=1)]


class Ask(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """What a method may be asked for; unset is the method's own default."""


class Nothing(Ask, frozen=True):
    """No parameter of its own."""


A = TypeVar("A", bound=Ask)


def read_ask(kind: type[A], request: Request) -> A:
    """The parameters of a request. Raises Problem (400) that names what it cannot use."""
    if request.query.get("alt", "json") != "json":
        raise bad_parameter("alt", "Only alt=json is served here.")
    repeated = {
        field.encode_name
        for field in msgspec.structs.fields(kind)
        if get_origin(field.type) is tuple
    }
    values: dict[str, object] = {}
    for name in request.query:
        if name not in ANYWHERE:
            values[name] = request.values(name)
    for name, found in values.items():
        if name not in repeated and isinstance(found, list):
            if len(found) > 1:
                raise bad_parameter(name, f"{name} must not be repeated.")
            values[name] = found[0]
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        where = re.search(r"unknown field `(.*)`|`\$\.(\w+)", str(error))
        name = (where[1] or where[2]) if where else ""
        raise bad_parameter(name, f"Invalid value or unknown name: {error}") from None


def bound(ask: Ask, *, apart_from: frozenset[str]) -> dict[str, object]:
    """The parameters as JSON, without some and without those that say what the default is.

    It is what the token of a walk is bound to.
    """
    # Through JSON, as a token's content comes back: a tuple is a list there.
    values: dict[str, object] = msgspec.json.decode(msgspec.json.encode(ask))
    return {name: value for name, value in values.items() if name not in apart_from}
