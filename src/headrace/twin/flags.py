"""A twin's options and the command line, one made from the other: whatever twin it is.

Options are a msgspec struct whose every field is `Annotated[type, Meta(description=...)]`. A tuple
of texts is a flag that may be repeated; one of anything else is a JSON list, or a file with one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from headrace.errors import BadInput

O = TypeVar("O", bound=msgspec.Struct)  # noqa: E741 - options


def checked(kind: type[O], values: dict[str, Any]) -> O:
    """Checked options, numbers also from text. Raises BadInput that names what is wrong."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"The twin cannot be started like this: {error}.", hint="See --help for the options."
        ) from None


def parsed(kind: type[O], arguments: Sequence[str] | None, *, program: str, about: str) -> O:
    """Options from the command line (None: this process's own). Raises BadInput, or exits."""
    parser = argparse.ArgumentParser(
        prog=program, description=about, argument_default=argparse.SUPPRESS
    )
    for option in msgspec.structs.fields(kind):
        of, meta = get_args(option.type)
        text = meta.description + (f" (default: {option.default})" if option.default else "")
        if of is bool:
            parser.add_argument(_flag(option.name), action="store_true", help=text)
        elif of == tuple[str, ...]:
            parser.add_argument(_flag(option.name), metavar="VALUE", action="append", help=text)
        else:
            parser.add_argument(_flag(option.name), metavar="VALUE", help=text)
    values = vars(parser.parse_args(arguments))
    for option in msgspec.structs.fields(kind):
        if option.name in values and _is_list(option):
            values[option.name] = _read_list(option.name, values[option.name])
    return checked(kind, values)


def flags(options: msgspec.Struct) -> list[str]:
    """The command line that `parsed` turns into these options."""
    line = []
    for option in msgspec.structs.fields(options):
        value = getattr(options, option.name)
        if value == option.default:
            continue
        if isinstance(value, bool):
            line.append(_flag(option.name))
        elif get_args(option.type)[0] == tuple[str, ...]:
            line += [f"{_flag(option.name)}={one}" for one in value]
        else:
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            line.append(f"{_flag(option.name)}={text}")
    return line


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _is_list(option: msgspec.structs.FieldInfo) -> bool:
    """Whether it is a list of anything but texts: those are flags that may be repeated."""
    return isinstance(option.default, tuple) and get_args(option.type)[0] != tuple[str, ...]


def _read_list(name: str, text: str) -> Any:
    try:
        given = text if text.lstrip().startswith("[") else Path(text).read_bytes()
        return msgspec.json.decode(given)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"The list of {name} cannot be read: {error}.") from None
