"""Every promise and every rule has its line, and every test that covers one names one there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

COUNTS = {"A0": 30, "A1": 56, "A2": 46, "A3": 56, "A4": 23}
PROMISES = [f"{part}.{number}" for part, most in COUNTS.items() for number in range(1, most + 1)]
RULINGS = [f"X{number}" for number in range(1, 12)]
RULES = [f"R{number}" for number in range(1, 19)] + ["Folders"]
TO_COME = {"G": 16, "C": 12, "H": 12, "O": 9}

SECURITY = ["SSRF", "Tokens", "Keys", "RLS", "Logs", "Webhooks"]
INCIDENT = re.compile(r"CVE-\d+-\d+")

_LINE = re.compile(r"^\| ([\w.-]+) \| (.+?) \| (.+) \|$", re.MULTILINE)
_HEADS = {"Id", "---"}


def lines(text: str) -> dict[str, tuple[str, str]]:
    """Each id with its phrase and what shows it. No id stands there twice."""
    found = [line for line in _LINE.findall(text) if line[0] not in _HEADS]
    assert len(found) == len({name for name, _, _ in found})
    return {name: (phrase, shown) for name, phrase, shown in found}


def test_every_promise_has_its_line(page: Callable[[str], str]) -> None:
    assert list(lines(page("docs/requirements.md"))) == PROMISES + RULINGS


def test_every_rule_has_its_line(page: Callable[[str], str]) -> None:
    later = [f"{part}{n}" for part, most in TO_COME.items() for n in range(1, most + 1)]
    found = [one for one in lines(page("docs/providers.md")) if not INCIDENT.fullmatch(one)]
    assert found == RULES + SECURITY + later


def test_what_a_test_covers_is_a_promise_or_a_rule(
    generate: ModuleType, page: Callable[[str], str]
) -> None:
    known = {*lines(page("docs/requirements.md")), *lines(page("docs/providers.md"))}
    unknown = {one: where for one, where in generate.covered().items() if one not in known}
    assert not unknown


@pytest.mark.parametrize("part", sorted(RULES))
def test_every_rule_for_any_source_is_shown(page: Callable[[str], str], part: str) -> None:
    _, shown = lines(page("docs/providers.md"))[part]
    assert shown != "not yet"


def test_ids_are_read_from_docstrings(generate: ModuleType, tmp_path: Path) -> None:
    said = {
        "one": "Covers A9.1, B2 and C3: the rest, D4, is prose.",
        "two": "Something else. Covers E5 F6, for any source.",
        "three": "Nothing: A9.9 is only spoken of.",
        "four": "Covers the Folders rules. Covers n8n CVE-1999-12345: not again.",
    }
    code = [f'def test_{name}():\n    """{docstring}"""\n' for name, docstring in said.items()]
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "test_it.py").write_text('"""Covers G7."""\n' + "\n".join(code))
    (tmp_path / "part" / "helper.py").write_text('def test_no():\n    """Covers H8."""\n')
    found = generate.covered(tmp_path)
    file = "part/test_it.py"
    assert found == {
        "G7": [(file, "")],
        "A9.1": [(file, "test_one")],
        "B2": [(file, "test_one")],
        "C3": [(file, "test_one")],
        "E5": [(file, "test_two")],
        "F6": [(file, "test_two")],
        "Folders": [(file, "test_four")],
        "CVE-1999-12345": [(file, "test_four")],
    }
