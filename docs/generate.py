#!/usr/bin/env python3
"""Writes into the docs what the code says of itself: `make docs`. tests/docs fails on a stale page.

Pages are written by hand. What stands between `<!-- generated: NAME -->` and `<!-- end -->` is
replaced, and so is the last column of the tables in the `SHOWN` pages, whose first column is an
id: it lists the tests whose docstrings say `Covers ID`. Those of the twins are left out: they show
that a stand-in misbehaves as it is told, not that Headrace copes.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from headrace.rest import spec, stream_spec
from headrace.rest.stream_spec import Scalar

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
SHOWN = ("requirements.md", "providers.md")

_WORDS = "Folders|SSRF|Tokens|Keys|RLS|Logs|Webhooks"
_ID = rf"(?:[A-Z]\d+(?:\.\d+)?|CVE-\d+-\d+|{_WORDS})"
_ASIDE = re.compile(rf" \({_ID}(?:[,-] ?{_ID})*\)")
_REGION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ROW = re.compile(rf"^\| ({_ID}) \| (.*) \| [^|]*\|$", re.MULTILINE)
_COVERS = re.compile(rf"\bCovers (?:the |n8n )?({_ID}(?:(?:,? and |, ?|,? )(?:{_ID})\b)*)")


def pages() -> list[Path]:
    """The pages that hold something generated."""
    found = [path for path in sorted(DOCS.rglob("*.md")) if _REGION.search(path.read_text("utf-8"))]
    return sorted({*found, *(DOCS / name for name in SHOWN)})


def render(page: Path) -> str:
    """The page as it should be."""
    text = page.read_text("utf-8")
    if page.name in SHOWN:
        shown = covered()
        text = _ROW.sub(lambda row: f"| {row[1]} | {row[2]} | {_tests(shown, row[1])} |", text)
    return _REGION.sub(lambda part: f"{part[1]}\n{REGIONS[part[2]]().strip()}\n\n{part[3]}", text)


# --- which test shows what ------------------------------------------------------------------------


def covered(tests: Path = ROOT / "tests") -> dict[str, list[tuple[str, str]]]:
    """Each id that a test's docstring covers, with the file (below tests/) and the test's name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for file in sorted(tests.rglob("test_*.py")):
        if tests / "twin" in file.parents:
            continue
        for name, docstring in _docstrings(ast.parse(file.read_text("utf-8"))):
            for ids in _COVERS.findall(docstring):
                for one in re.findall(_ID, ids):
                    places = found.setdefault(one, [])
                    place = (file.relative_to(tests).as_posix(), name)
                    if place not in places:
                        places.append(place)
    return found


def _docstrings(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Of the file itself, its test functions and the classes around them."""
    if said := ast.get_docstring(module):
        yield "", said
    for node in ast.walk(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.lower().startswith("test") and (said := ast.get_docstring(node)):
            yield node.name, said


def _tests(shown: dict[str, list[tuple[str, str]]], one: str) -> str:
    files: dict[str, list[str]] = {}
    for file, name in shown.get(one, ()):
        files.setdefault(file, []).append(name)
    cells = [
        f"[{file.removesuffix('.py')}](../tests/{file})" + "".join(f" `{n}`" for n in names if n)
        for file, names in files.items()
    ]
    return "<br>".join(cells) or "not yet"


# --- commands -------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, Any]]:
    """Every command there is, as a person writes it, with typer's object for it."""
    import typer

    from headrace.cli.app import app

    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        yield name, command
        for inner, one in getattr(command, "commands", {}).items():
            yield from walk(f"{name} {inner}", one)

    return walk("headrace", typer.main.get_command(app))


def _cli() -> str:
    return "\n".join(_command(name, one) for name, one in commands())


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    rows = [(f"`{_argument(one)}`", "", one.help) for one in arguments]
    rows += [(_option(one), _default(one.default or None), one.help) for one in options]
    rows += _twin_options(name)
    usage = [name, *(_argument(one) for one in arguments)]
    usage += ["[OPTIONS]"] if len(rows) > len(arguments) else []
    usage += ["COMMAND"] if hasattr(command, "commands") else []
    parts = [f"## {name}", _plain(command.help or ""), f"    {' '.join(usage)}"]
    return "\n\n".join([*parts, _table(("", "Default", ""), rows)] if rows else [*parts, ""])


def _argument(one: Any) -> str:
    name = one.name.upper() + ("..." if one.nargs == -1 else "")
    return name if one.required else f"[{name}]"


def _option(one: Any) -> str:
    names = ", ".join(f"`{name}`" for name in one.opts)
    if one.is_flag:
        return names
    bounds = f" ({one.min:,} to {one.max:,})" if one.min is not None and one.max is not None else ""
    kind = _kind(one.type_descriptor.annotation).removeprefix("list of ")
    return f"{names} {kind}{bounds}"


def _twin_options(command: str) -> list[tuple[str, str, str]]:
    import msgspec

    from headrace.twin.github.options import Options as GitHub
    from headrace.twin.google.options import Options as Google
    from headrace.twin.options import Options as DataSync

    twins = {
        "headrace twin datasync": DataSync,
        "headrace twin google": Google,
        "headrace twin github": GitHub,
    }
    rows: list[tuple[str, str, str]] = []
    for field in msgspec.structs.fields(twins[command]) if command in twins else ():
        kind, meta = typing.get_args(field.type)
        flag = "--" + field.name.replace("_", "-")
        what = (
            ""
            if kind is bool
            else " text"
            if isinstance(field.default, tuple)
            else f" {_kind(kind)}"
        )
        rows.append((f"`{flag}`{what}", _default(field.default or None), meta.description))
    return rows


# --- settings, specs, tables, errors --------------------------------------------------------------


def _settings() -> str:
    from headrace.settings import Settings

    rows = [
        (f"`{name.upper()}`", _value(field), _default(field.default), field.description)
        for name, field in Settings.model_fields.items()
    ]
    return _table(("Variable", "Value", "Default", "Meaning"), rows)


def spec_parts() -> dict[str, Any]:
    """The models a spec is made of, by the names of their sections, outermost first."""
    return {
        "The spec": spec.RestSpec,
        "auth": spec.Auth,
        "A stream": stream_spec.Stream,
        "pagination": stream_spec.Pagination,
        "limit": stream_spec.Limit,
        "since": stream_spec.Since,
        "slices, by time": stream_spec.TimeSlices,
        "slices, by key": stream_spec.KeySlices,
        "project": stream_spec.Projection,
    }


def _spec() -> str:
    parts = spec_parts()
    sections = {model: section for section, model in parts.items()}
    texts = []
    for section, model in parts.items():
        rows = []
        for name, field in model.model_fields.items():
            kind = _value(field, sections)
            default = "" if field.is_required() else _default(field.default)
            said = field.description or ("See there." if "](#" in kind else "")
            needed = f"`{field.alias or name}`" + (" *" if field.is_required() else "")
            rows.append((needed, kind, default, said))
        about = _plain(model.__doc__ or "")
        table = _table(("Key", "Value", "Default", "Meaning"), rows)
        texts.append(f"## {section}\n\n{about}\n\n{table}")
    return "\n".join(texts)


def _envelopes() -> str:
    from headrace.rest.pagination import SHAPES

    rows = [(name, f"`{flag}`" if flag else "", f"`{at}`") for name, flag, at in SHAPES]
    return _table(("Name", "Whether there is more", "Where to go on"), rows)


def _tables() -> str:
    from sqlalchemy.dialects import postgresql

    from headrace import model

    dialect: Any = postgresql.dialect
    about = {
        one.__table__.name: _plain(one.__doc__ or "")
        for one in vars(model).values()
        if isinstance(one, type) and hasattr(one, "__table__")
    }
    texts = []
    for table in model.metadata.tables.values():
        rows = []
        for column in table.columns:
            kind = column.type.compile(dialect=dialect()).lower().replace(' collate "c"', "")
            kind = kind.replace("timestamp with time zone", "timestamptz")
            null = "key" if column.primary_key else "may be null" if column.nullable else ""
            rows.append((f"`{column.name}`", kind, null))
        columns = _table(("Column", "Type", ""), rows)
        texts.append(f"## {table.name}\n\n{about[table.name]}\n\n{columns}")
    return "\n".join(texts)


def error_classes() -> list[type[Exception]]:
    """Every error a person may read, the general ones first."""
    import importlib
    import pkgutil

    import headrace
    from headrace.errors import HeadraceError

    for module in pkgutil.walk_packages(headrace.__path__, "headrace."):
        if not module.name.endswith(("__main__", ".env")) and ".versions" not in module.name:
            importlib.import_module(module.name)
    found: list[type[Exception]] = [HeadraceError]
    for one in found:
        found += sorted(one.__subclasses__(), key=lambda c: (c.__module__, c.__name__))
    return [one for one in found if one.__module__.startswith("headrace.")]


def _errors() -> str:
    rows = [
        (
            f"`{one.__name__}`",
            one.__mro__[1].__name__,
            str(getattr(one, "exit_code", "")),
            _plain(one.__doc__ or "").split("\n\n")[0],
        )
        for one in error_classes()
    ]
    return _table(("Error", "Is a", "Exit code", "Meaning"), rows)


# --- words ----------------------------------------------------------------------------------------

_PATH = typing.get_args(stream_spec.Path)[1:]
_KINDS: dict[Any, str] = {
    str: "text",
    SecretStr: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "time",
    Path: "path",
}


def _value(field: FieldInfo, sections: Mapping[Any, str] = MappingProxyType({})) -> str:
    """What to write for a field's value, with its bounds."""
    if any(one in _PATH for one in field.metadata):
        return "path"
    bounds = [
        f"{words} {getattr(one, name):,}"
        for one in field.metadata
        for name, words in (("gt", "above"), ("ge", "from"), ("le", "to"))
        if hasattr(one, name)
    ]
    return " ".join([_kind(field.annotation, sections), *bounds])


def _kind(annotation: Any, sections: Mapping[Any, str] = MappingProxyType({})) -> str:
    """What to write for a value of this type."""
    if annotation in sections:
        name = sections[annotation]
        anchor = re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-")
        return f"[{name}](#{anchor})"
    if annotation == Scalar:
        return "text, number, true or false"
    if annotation == stream_spec.Path:
        return "path"
    if hasattr(annotation, "__metadata__"):
        return _kind(typing.get_args(annotation)[0], sections)
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        texts = dict.fromkeys(_kind(one, sections) for one in inner if one is not type(None))
        return " or ".join(texts)
    if origin is dict:
        return f"mapping: name to {_kind(inner[1], sections)}"
    if origin in (list, tuple):
        return f"list of {_kind(inner[0], sections)}"
    return _KINDS.get(annotation) or str(getattr(annotation, "__name__", annotation))


def _default(value: Any) -> str:
    if value is None or value in ("", ()) or value is PydanticUndefined:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *([_cell(value) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    return _plain(" ".join(str(value or "").split())).replace("|", "\\|")


def _plain(text: str) -> str:
    """Without the ids that tell the maker of the code which promise or rule it keeps."""
    return _ASIDE.sub("", inspect.cleandoc(text))


REGIONS: dict[str, Callable[[], str]] = {
    "cli": _cli,
    "settings": _settings,
    "spec": _spec,
    "envelopes": _envelopes,
    "tables": _tables,
    "errors": _errors,
}


def main() -> None:
    """Write every page that is not as it should be, and say which."""
    for page in pages():
        text = render(page)
        if text != page.read_text("utf-8"):
            page.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
