"""The files that all contenders read: plain text and Markdown, so that parsing weighs the same.

Generated files are the same on every machine; a folder of somebody's own is copied, never changed.
Every file has one word in its middle that says which edition it is, by which it can be told
afterwards whose table holds what.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from headrace.errors import BadInput
from headrace.twin import words

_SEED = 3
_MOMENT = 1_700_000_000  # files that were written just now may be looked at twice
_COMMON = """the a of and to in for with on is are was were be that this which from by as it at or
but not have has will can may should because while after before when where every some most only
also then there between under over about people say find use keep need work begin end remain"""
_JOINING = tuple(_COMMON.split())
_PHRASES = (
    words.PRODUCTS + words.ARTICLES + words.PAGES + words.BUTTONS + words.MESSAGES
    + words.ERRORS + words.CAMPAIGNS + words.REFERRERS
)  # fmt: skip
_WORDS = tuple(sorted({word.strip("?,.()").lower() for one in _PHRASES for word in one.split()}))


def generated(count: int) -> Iterator[tuple[str, str]]:
    """So many (name, text); most of 1 to 3 KB, a few of up to 20."""
    random = Random(_SEED)
    for number in range(count):
        size = int(1_000 + 19_000 * random.random() ** 5)
        parts = [f"# {random.choice(words.ARTICLES)}, {number}"]
        length = 0
        while length < size:
            if random.random() < 0.1:
                parts.append(f"## {random.choice(_PHRASES)}")
            parts.append(" ".join(_sentence(random) for _ in range(random.randint(2, 7))))
            length += len(parts[-1])
        suffix = "md" if number % 2 else "txt"
        yield f"{number % 50:02}/{number:06}.{suffix}", "\n\n".join(parts) + "\n"


def _sentence(random: Random) -> str:
    said = [
        random.choice(_JOINING if random.random() < 0.45 else _WORDS)
        for _ in range(random.randint(6, 22))
    ]
    return f"{' '.join(said).capitalize()}."


def own(folder: Path) -> Iterator[tuple[str, str]]:
    """The text and Markdown files below a folder, as (name, text). Raises BadInput if none are."""
    found = sorted(one for one in folder.rglob("*") if one.suffix in {".md", ".txt"})
    if not found:
        raise BadInput(
            f"There is no .md and no .txt file in {folder}.",
            hint="Name a folder of texts, or leave --folder out to have some made.",
        )
    for file in found:
        yield str(file.relative_to(folder)), file.read_text("utf-8", "replace")


def lay_out(folder: Path, texts: Iterable[tuple[str, str]]) -> list[Path]:
    """Write the first edition of them all; the files in order."""
    files: list[Path] = []
    for name, text in texts:
        file = folder / name
        middle = text.find(" ", len(text) // 2)
        middle = len(text) if middle < 0 else middle
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text[:middle]} {mark(1, len(files))}{text[middle:]}", "utf-8")
        os.utime(file, (_MOMENT, _MOMENT))
        files.append(file)
    return files


def edit(files: list[Path], every: int) -> list[int]:
    """Make a second edition of every so many-th file, a sentence longer; the numbers of those."""
    edited = list(range(0, len(files), every))
    for number in edited:
        text = files[number].read_text("utf-8")
        longer = f"{mark(2, number)} says more than the edition before it did."
        files[number].write_text(text.replace(mark(1, number), longer), "utf-8")
        os.utime(files[number], (_MOMENT + 60, _MOMENT + 60))
    return edited


def mark(edition: int, number: int) -> str:
    """The word that tells one edition of one file from all else; no splitter cuts a word."""
    return f"edition{edition}note{number:06}"
