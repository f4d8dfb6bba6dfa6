"""Signatures: where one begins in the text of a mail, and the telephone numbers in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from headrace.mail import reply_words as words

CAP = 2_000
"""Characters of a signature; what is longer is none."""
_MOST_LINES = 30
_MOST_UNMARKED = 12  # lines of one that begins with words of parting
_LONG = 80
_PHONES_CAP = 5
_PRIVATE = re.compile(r"confidential|vertraulich|confidentiel|confidencial|riservat", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w+])\+(\d[\d \xa0().\-/]{5,24}\d)(?!\w)")
_FAX = re.compile(r"\bfax\b|(?:^|[\s|,;])f\s*[:.]?\s*\Z|telefax", re.IGNORECASE)


def signature_in(lines: Sequence[str | None]) -> tuple[int, int, str] | None:
    """The signature in the last stretch of own lines: where it begins, where it ends, and what it
    says. None stands for lines that are not the sender's own."""
    end = len(lines)
    while end and not (lines[end - 1] or "").strip():
        end -= 1
    start = end
    while start and lines[start - 1] is not None:
        start -= 1
    region = [line or "" for line in lines[start:end]]
    found = _marked(region)
    begin, first = found if found is not None else (_unmarked(region),) * 2
    if begin is None or first is None:
        return None
    last = next((n for n in range(first, len(region)) if _postscript(region[n])), len(region))
    text = "\n".join(region[first:last]).strip()
    if text.endswith(":") and end < len(lines) and "\n" in text:
        text = text.rpartition("\n")[0].strip()  # it told what is quoted below
    if not text or len(text) > CAP:
        return None
    return start + begin, start + last, text


def phones_in(signature: str) -> list[str]:
    """The telephone numbers in it that are written in the international form, as `+` and digits.
    Without the country nobody could say whose number it is."""
    found: dict[str, None] = {}
    for one in _PHONE.finditer(signature[:CAP]):
        if _FAX.search(signature[max(0, one.start() - 9) : one.start()]):
            continue
        digits = re.sub(r"\D", "", one[1].replace("(0)", ""))
        if 8 <= len(digits) <= 15 and digits[0] != "0":
            found[f"+{digits}"] = None
    return list(found)[:_PHONES_CAP]


def _marked(region: Sequence[str]) -> tuple[int, int] | None:
    """Below two dashes: the standard's, with a blank behind them, or whatever remains of it."""
    proper = [n for n, line in enumerate(region) if line == "-- "]
    bare = [n for n, line in enumerate(region) if line.strip() in ("--", "—")]
    for n in (*proper[:1], *bare[-1:]):
        if sum(map(bool, map(str.strip, region[n + 1 :]))) <= _MOST_LINES:
            return n, n + 1
    return None


def _unmarked(region: Sequence[str]) -> int | None:
    """From words of parting with a name below them, or from what a telephone writes there."""
    text = [n for n in range(len(region)) if region[n].strip()]
    device = next((n for n in text[-3:] if _device(region[n])), None)
    below = [n for n in text if device is None or n < device]
    for place in range(len(below) - 2, max(len(below) - 2 - _MOST_UNMARKED, 0), -1):
        n = below[place]
        if _parting(region[n]) and _signed([region[m].strip() for m in below[place + 1 :]]):
            return n
    return device


def _parting(line: str) -> bool:
    return len(line) <= 40 and line.strip(" ,.!;-\u2013\t").lower() in words.SIGN_OFFS


def _signed(below: list[str]) -> bool:
    """Whether lines below words of parting are a name and whatever goes with it."""
    name = below[0].strip("*_-\u2013 ")
    if not name or len(name) > 40 or len(name.split()) > 5 or name[-1] in ".?!:;":
        return False
    if name[0].islower() and " " in name:
        return False
    return all(len(one) <= _LONG or _PRIVATE.search(one[: _LONG * 4]) for one in below)


def _device(line: str) -> bool:
    text = line.strip().lower()
    if len(text) > 120 or not text.startswith(words.DEVICES):
        return False
    return not text.startswith("von meinem ") or text.endswith("gesendet")


def _postscript(line: str) -> bool:
    return line.strip()[:4].upper().startswith(("PS:", "P.S.", "PS."))
