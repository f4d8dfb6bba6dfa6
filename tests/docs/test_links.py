"""Every relative link on every page leads to a file, and to a heading where it names one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The names GitHub gives to a page's headings."""
    plain = [re.sub(r"[^\w -]", "", one.strip().lower()) for one in _HEADING.findall(text)]
    return {one.replace(" ", "-") for one in plain}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_relative_links_resolve(path: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", path.read_text("utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, heading = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        inside = target.is_relative_to(ROOT)
        if not (inside and target.exists()) or (
            heading and heading not in anchors(target.read_text("utf-8"))
        ):
            broken.append(link)
    assert not broken


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (path.parent / link.partition("#")[0]).resolve()
        for path in PAGES
        for link in _LINK.findall(path.read_text("utf-8"))
        if "://" not in link and not link.startswith("#")
    }
    alone = [path.name for path in PAGES if path.resolve() not in linked]
    assert alone == ["README.md"]
