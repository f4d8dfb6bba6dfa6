"""Every message that the page explains is one that the code can say."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = "docs/how-to/troubleshoot.md"

HEADINGS = re.findall(r"^#+ `(.+?)`$", (ROOT / PAGE).read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="session")
def sentences() -> list[str]:
    """Every text in the code, with `…` for what is put into it."""
    return [
        text
        for file in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        for text in written(node)
    ]


def written(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.JoinedStr():
            pieces = [one.value if isinstance(one, ast.Constant) else "…" for one in node.values]
            yield "".join(map(str, pieces))
        case ast.Constant(value=str() as text):
            yield text


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_code_says_it(heading: str, sentences: list[str]) -> None:
    pattern = re.compile(".*".join(map(re.escape, heading.split("…"))), re.DOTALL)
    assert any(pattern.search(text) for text in sentences)


def test_there_are_messages() -> None:
    assert len(HEADINGS) > 30


def test_numbers_are_those_of_the_code(page: Callable[[str], str]) -> None:
    from headrace.engine import jobs
    from headrace.http import TROUBLE
    from headrace.http.policy import Policy

    text = " ".join(page(PAGE).split())
    assert jobs.ATTEMPTS == 5
    assert "fails after five attempts that landed nothing" in text
    assert TROUBLE == 60
    assert "tried again a minute later" in text
    assert Policy().max_park == 86_400
    assert "for a day at most" in text
    assert f"More than {Policy().max_body >> 20} MiB" in text
