"""Reading a spec: every mistake is named by its place, with the word that was probably meant."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from headrace.errors import BadInput
from headrace.rest.spec import RestSpec
from headrace.rest.spec_places import known_keys, line_of, readable

GUIDE = "See docs/reference/rest-spec.md."
_MAX_BYTES = 1 << 20


class BadSpec(BadInput):
    """A mistake in a spec, and in which `line` it is, from 1, where that is known."""

    def __init__(self, message: str, *, hint: str = "", line: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.line = line


def load_spec(path: Path | str) -> RestSpec:
    """The spec in a YAML file. Raises BadInput naming file, line, key and the nearest key."""
    path = Path(path)
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file"
        raise BadInput(f"The spec {path} cannot be read: {reason}.", hint=GUIDE) from None
    return read_spec(raw, where=str(path), subject=f"The spec {path}")


def read_spec(raw: bytes, *, where: str = "The spec", subject: str = "The spec") -> RestSpec:
    """The spec in YAML's bytes. Raises BadSpec; `where` and `subject` begin its messages."""
    if len(raw) > _MAX_BYTES:
        raise BadSpec(f"{subject} is larger than 1 MiB.", hint=GUIDE)
    try:
        text = raw.decode("utf-8-sig")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except UnicodeDecodeError:
        raise BadSpec(f"{subject} is not UTF-8 text.", hint=GUIDE) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else None
        at = f"{where}, line {line}" if line else where
        raise BadSpec(f"{at}: {error.problem or 'not YAML'}.", hint=GUIDE, line=line) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        first = (str(error).splitlines() or ["it is nested too deep"])[0]
        raise BadSpec(f"{subject} is not YAML: {first}.", hint=GUIDE) from None
    return parse_spec(data, where=where, root=root)


def place_in(text: str, *place: str) -> int | None:
    """The line, from 1, of a key in a spec that has been read."""
    return line_of(yaml.compose(text, Loader=yaml.SafeLoader), place)


def parse_spec(data: Any, *, where: str = "The spec", root: yaml.Node | None = None) -> RestSpec:
    """The spec in decoded YAML or JSON. Raises BadInput for one mistake in it.

    `where` begins the message; `root` is the YAML tree `data` came from, for line numbers.
    """
    if not isinstance(data, dict):
        raise BadSpec(f"{where} must be a mapping with name, base_url and streams.", hint=GUIDE)
    try:
        return RestSpec.model_validate(data)
    except ValidationError as error:
        # A misspelt key is reported twice, as unknown and as missing: the first helps more.
        problem = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        raise _bad(problem, where, root) from None


def _bad(problem: ErrorDetails, where: str, root: yaml.Node | None) -> BadSpec:
    place = readable(RestSpec, problem["loc"])
    line = line_of(root, place)
    at = f"{where}, line {line}" if line else where
    if problem["type"] == "extra_forbidden":
        parents, name = place[:-1], place[-1]
        known = known_keys(RestSpec, problem["loc"][:-1])
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
        inside = f" in {'.'.join(parents)}" if parents else ""
        return BadSpec(f"{at}: there is no key {name!r}{inside}.", hint=hint, line=line)
    if problem["type"] == "missing":
        missing = f"{at}: the key {'.'.join(place)} is missing."
        return BadSpec(missing, hint=GUIDE, line=line)
    message = problem["msg"].removeprefix("Value error, ")
    subject = ".".join(place) or "the spec"
    return BadSpec(f"{at}: {subject} cannot be used: {message}.", hint=GUIDE, line=line)
