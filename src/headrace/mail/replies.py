"""What of a mail is its sender's own words: without what it quotes, and without the signature.

Line by line and in one pass, with no pattern that looks at a line more than a few times. Where it
is in doubt it keeps: what a forwarded mail holds is what is said, and so is a quotation that
nothing stands above.
"""

from __future__ import annotations

import re

import msgspec

from headrace.mail import reply_words as words
from headrace.mail.signatures import signature_in

_BLANK_LINES = re.compile(r"\n{3,}")
_RULE = "-_*=# \t"
_LONGEST = 400  # characters of a line that says who wrote what is quoted
_WRAPPED = 4  # lines that such a line may be broken into
_HEADERS = 9  # lines in which the headers of an answered mail are looked for
_FOOTER = 10


class Own(msgspec.Struct, frozen=True):
    """`unquoted` is None where the text is all its sender's own, and unsigned."""

    unquoted: str | None = None
    signature: str | None = None


class _Found(msgspec.Struct):
    """Lines that are kept, None for a stretch that is not, and those that are forwarded."""

    kept: list[str | None]
    forwarded: list[str]


def own_words(text: str, *, forwards: bool = False, signed: bool = True) -> Own:
    """The sender's own part of a mail's text. `forwards`: its subject says that it forwards
    another; `signed`: whether it may have a signature."""
    found = _unquoted(text.split("\n"), forwards)
    kept = found.kept
    span = signature_in(kept) if signed else None
    signature = None
    if span is not None:
        start, end, signature = span
        kept = [*kept[:start], None, *kept[end:]]
    if None not in kept:
        return Own()
    own = "\n".join(["" if line is None else line for line in (*kept, *found.forwarded)])
    return Own(_BLANK_LINES.sub("\n\n", own).strip(), signature)


def is_forward(subject: str | None) -> bool:
    """Whether a subject says that the mail forwards another one."""
    return subject is not None and words.FORWARDS.match(subject) is not None


def _unquoted(lines: list[str], forwards: bool) -> _Found:
    kept: list[str | None] = []
    said = False  # whether anything of the sender's own has come
    for at, line in enumerate(lines):
        text = line.strip()
        if not text:
            kept.append(line)
            continue
        if text[0] == ">":
            if not kept or kept[-1] is not None:
                _drop_introduction(kept)
                kept.append(None)
            continue
        mark = _mark(lines, at, text)
        if mark == "forward" or (mark == "headers" and (forwards or not said)):
            return _Found(kept, lines[at:])
        if mark == "wrote":
            start = _introduction(lines, at)
            above = kept if start is None else kept[: len(kept) - (at - start)]
            if start is not None and any(line and line.strip() for line in above):
                return _Found([*above, None], [])
        elif mark in ("headers", "footer"):
            _drop_rules(kept)
            return _Found([*kept, None], [])
        kept.append(line)
        said = True
    return _Found(kept, [])


def _mark(lines: list[str], at: int, text: str) -> str | None:
    """What a line is that is more than text: `forward`, where a forwarded mail begins; `headers`,
    where an answered one does; `wrote`, who wrote what may be quoted below; `footer` of a list."""
    if text[0] in "-_*=":
        core = text.strip(_RULE).lower()
        if core in words.FORWARDED or core.startswith("forwarded by "):
            return "forward"
        if core in words.ORIGINAL:
            return "headers"
        if not core and _footer(lines, at, text):
            return "footer"
    if text[-1] in words.COLONS and len(text) <= _LONGEST:
        if text.rstrip(f"{words.COLONS} ").lower() in words.FORWARDED:
            return "forward"
        follows = next((one for one in map(str.strip, lines[at + 1 : at + 4]) if one), "")
        if not follows.startswith(">"):  # those are told from the rest without it
            return "wrote"
    if _label(text) in words.SENDER:
        labels = {_label(one.strip()) for one in lines[at + 1 : at + _HEADERS]}
        if len(labels & words.OTHERS) >= 2:
            return "headers"
    return None


def _label(text: str) -> str:
    """What stands before the colon of a header's line."""
    head = text[:24].replace(words.COLONS[1], ":")
    return head.partition(":")[0].strip("* \xa0").lower() if ":" in head else ""


def _footer(lines: list[str], at: int, text: str) -> bool:
    """What list servers write below a mail."""
    if text == "--":
        return "".join(lines[at + 1 : at + 2]).startswith("You received this message")
    rest = lines[at + 1 : at + 1 + _FOOTER]
    return (
        len(text) >= 20
        and len(lines) - at <= _FOOTER
        and any("mailing list" in one.lower() for one in rest)
    )


def _introduction(lines: list[str | None] | list[str], end: int) -> int | None:
    """The first line of a sentence such as `On <day>, <somebody> wrote:`, which may be broken into
    several lines, the last of which is the `end`; None where that is no such sentence."""
    joined, least = "", None
    for at in range(end, max(end - _WRAPPED, -1), -1):
        text = (lines[at] or "").strip()
        if not text or text[0] == ">" or len(joined) + len(text) > _LONGEST:
            break
        joined = f"{text} {joined}"
        named = "@" in joined
        if words.BEGINS.match(text) and words.DATED.search(joined):
            if named or words.WROTE.search(joined):
                return at
        elif named and least is None and words.WROTE.search(joined):
            least = at
    return least


def _drop_introduction(kept: list[str | None]) -> None:
    """Take off who wrote what is quoted right below."""
    end = len(kept) - 1
    while end >= 0 and kept[end] is not None and not (kept[end] or "").strip():
        end -= 1
    text = ((kept[end] if end >= 0 else None) or "").strip()
    if not text or text[-1] not in words.COLONS or len(text) > _LONGEST:
        return
    start = _introduction(kept, end)
    if start is None and (words.WROTE.search(text) or words.DATED.search(text)):
        start = end
    if start is not None:
        del kept[start:]


def _drop_rules(kept: list[str | None]) -> None:
    """Take off the lines that are drawn above an answered mail."""
    while kept and kept[-1] is not None and not kept[-1].strip(_RULE):
        kept.pop()
