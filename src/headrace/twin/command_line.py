"""A twin's options as command line flags, and the loop that serves it until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from headrace.errors import BadInput, HeadraceError
from headrace.twin.server import Handler, listening

T = TypeVar("T", bound=msgspec.Struct)


def options_of(kind: type[T], values: dict[str, Any]) -> T:
    """Checked options, numbers also from text. Raises BadInput that names what is wrong."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"The twin cannot be started like this: {error}.", hint="See --help for the options."
        ) from None


def parse_options(
    kind: type[T], program: str, description: str, arguments: Sequence[str] | None
) -> T:
    """Options from the command line (None: this process's own). Raises BadInput, or exits.

    A tuple is given as a JSON list, or as the name of a file that holds one.
    """
    parser = argparse.ArgumentParser(
        prog=program, description=description, argument_default=argparse.SUPPRESS
    )
    for option in msgspec.structs.fields(kind):
        type_, meta = get_args(option.type)
        text = meta.description + (f" (default: {option.default})" if option.default else "")
        if type_ is bool:
            parser.add_argument(_flag(option.name), action="store_true", help=text)
        else:
            parser.add_argument(_flag(option.name), metavar="VALUE", help=text)
    values = vars(parser.parse_args(arguments))
    for option in msgspec.structs.fields(kind):
        if option.name in values and isinstance(option.default, tuple):
            values[option.name] = _read_list(values[option.name])
    return options_of(kind, values)


def flags_of(options: msgspec.Struct) -> list[str]:
    """The command line that `parse_options` turns into these options."""
    line = []
    for option in msgspec.structs.fields(options):
        value = getattr(options, option.name)
        if value == option.default:
            continue
        if isinstance(value, bool):
            line.append(_flag(option.name))
        else:
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            line.append(f"{_flag(option.name)}={text}")
    return line


def run_program(make: Callable[[], tuple[Handler, int, bool]]) -> int:
    """Serve what `make` gives: handler, port, and whether to end with standard input.

    Prints `listening URL` once it answers. Returns the exit code of the program.
    """
    try:
        asyncio.run(_serve(*make()))
    except KeyboardInterrupt:
        pass  # Control-C is how it is meant to end
    except HeadraceError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


async def _serve(handle: Handler, port: int, until_stdin_closes: bool) -> None:
    async with listening(handle, port) as url:
        sys.stdout.write(f"listening {url}\n")
        sys.stdout.flush()
        if until_stdin_closes:
            threading.Thread(target=_end_with_stdin, daemon=True).start()
        await asyncio.Event().wait()


def _end_with_stdin() -> None:
    while sys.stdin.buffer.read(1_024):
        pass
    os._exit(0)  # nothing to save, and the event loop may be busy


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _read_list(text: str) -> Any:
    try:
        rules = text if text.lstrip().startswith("[") else Path(text).read_bytes()
        return msgspec.json.decode(rules)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"The list of options cannot be read: {error}.") from None
