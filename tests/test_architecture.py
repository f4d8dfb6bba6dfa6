"""The shape of the house: imports point one way, one file logs, one folder knows the engine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import headrace

_SOURCE = Path(headrace.__file__).parent
_FILES = sorted(_SOURCE.rglob("*.py"))

_LAYERS = [
    ["errors", "model", "crashpoints", "logs", "__version__"],
    ["settings", "telemetry", "text"],
    ["cadence"],
    ["provider", "vault"],
    ["stage", "insight"],
    ["rows", "wiring", "http", "mail", "prompt"],
    ["account"],
    ["in_step"],
    [
        "github",
        "google",
        "rest",
        "mailbox",
        "files",
        "documents",
        "chunking",
        "embedding",
        "memory",
        "people",
        "llm",
        "webhooks",
    ],
    ["vectordb"],
    ["providers", "stages", "insights"],
    ["plugins"],
    ["store", "redis_streams"],
    ["oauth"],
    ["engine"],
    ["out"],
    ["dashboard"],
    ["api"],
    ["cli"],
]
"""Each may import what stands above it. What stands beside it, it does not need."""

# Apart from the rest, so that what it says of a source is not read out of the code under test.
# So is what programs of others import.
_ALONE: dict[str, set[str]] = {"twin": {"errors"}, "client": set()}
_MAY_USE_ALL = {"cli"}

_LONGEST = 300


def part(module: str) -> str:
    """The room a module of ours stands in: `headrace.store.landing` in "store"."""
    return module.split(".")[1]


def room(file: Path) -> str:
    return file.relative_to(_SOURCE).with_suffix("").parts[0]


def imported(file: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, by its full name."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            assert node.module
            if node.module == "headrace":
                yield from (f"headrace.{one.name}" for one in node.names)
            else:
                yield node.module


def test_imports_point_one_way() -> None:
    """Covers A3.15, A3.16: model and errors below, commands above; nobody imports upwards, or its
    neighbour."""
    floor = {name: at for at, layer in enumerate(_LAYERS) for name in layer}
    wrong = []
    for file in _FILES:
        own = room(file)
        if own == "__init__":
            continue
        for module in imported(file):
            if not module.startswith("headrace.") or part(module) == own:
                continue
            other = part(module)
            if own in _ALONE:
                allowed = other in _ALONE[own]
            elif other in _ALONE:
                allowed = own in _MAY_USE_ALL
            else:
                allowed = floor[other] < floor[own]
            if not allowed:
                wrong.append(f"{file.relative_to(_SOURCE)} imports {module}")
    assert wrong == []


def test_every_room_has_its_floor() -> None:
    """A new folder is put in its place, or this fails."""
    rooms = {room(file) for file in _FILES} - {"__init__"}
    assert rooms == {name for layer in _LAYERS for name in layer} - {"__version__"} | set(_ALONE)


def test_only_the_engine_knows_dbos() -> None:
    """Covers X10, A3.8: there is one way of running work; one folder knows its engine, and one file
    the names that it does not promise. The client's workflows are those of somebody else."""
    known = {file for file in _FILES for one in imported(file) if one.split(".")[0] == "dbos"}
    assert known
    assert {room(file) for file in known} == {"engine", "client"}
    private = {
        file.name for file in known if any(one.startswith("dbos._") for one in imported(file))
    }
    assert private == {"private.py"}


def test_only_telemetry_logs() -> None:
    """Covers A3.49: code says what happened, one file decides how that is written down."""
    words = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    loggers = {"get_logger", "getLogger"}
    found = set()
    for file in _FILES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in loggers:
                found.add(file.name)
            if (
                isinstance(node, ast.Attribute)
                and node.attr in words
                and isinstance(node.value, ast.Name)
                and node.value.id in ("logging", "structlog", "logger", "log")
            ):
                found.add(file.name)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "print", file
    assert found == {"writing.py"}


def test_no_sql_outside_store_engine_and_out() -> None:
    """Covers A3.6: whoever serves people goes through functions that take parameters."""
    for file in _FILES:
        if room(file) in ("store", "engine", "out", "model"):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                text = "".join(
                    str(one.value) for one in node.values if isinstance(one, ast.Constant)
                )
                assert not text.lstrip().startswith(("SELECT ", "INSERT ", "UPDATE ", "DELETE ")), (
                    file
                )


def test_files_are_rooms_not_halls() -> None:
    """A migration is history, not a room: it is written once and never grows."""
    for file in _FILES:
        text = file.read_text("utf-8")
        assert len(text.splitlines()) <= _LONGEST or "versions" in file.parts, file
        assert ast.get_docstring(ast.parse(text)), f"{file} does not say what it is"


def test_the_front_door_is_what_it_says() -> None:
    """What a plugin author imports exists, is sorted, and nothing else is offered."""
    assert headrace.__all__ == sorted(headrace.__all__)
    offered = {
        name
        for name, value in vars(headrace).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("headrace.")
    }
    assert set(headrace.__all__) == offered
