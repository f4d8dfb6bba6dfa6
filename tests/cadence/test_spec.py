"""What people write of when, and what is said of what cannot be."""

from __future__ import annotations

import pytest

from headrace.cadence import spans
from headrace.cadence.spec import parse
from headrace.errors import BadInput


@pytest.mark.parametrize(
    ("text", "seconds", "words"),
    [
        ("every 15m", 900, "every 15 minutes"),
        ("15m", 900, "every 15 minutes"),
        ("Every  2 hours", 7200, "every 2 hours"),
        ("every 1d", 86_400, "every 1 day"),
        ("every 90s", 90, "every 90 seconds"),
    ],
)
def test_spans(text: str, seconds: int, words: str) -> None:
    """Covers A0.22."""
    assert parse(text).every == seconds
    assert parse(text).words() == words


def test_crons_and_learned_ones() -> None:
    """Covers A3.38."""
    weekly = parse("0 7 * *  mon", "Europe/Berlin")
    assert (weekly.cron, weekly.zone) == ("0 7 * * mon", "Europe/Berlin")
    assert weekly.words() == "at 0 7 * * mon in Europe/Berlin"
    for text in ("learned", "every: learned", "every learned"):
        assert (parse(text).floor, parse(text).ceiling) == (900, 3600)
    assert parse("learned 5m to 4h").words() == (
        "learned from what it finds, between 5 minutes and 4 hours"
    )


@pytest.mark.parametrize(
    ("text", "zone", "says", "hint"),
    [
        ("every 0s", "UTC", "'every 0s' is more often than anything is run", "every 1m"),
        ("every 1s", "UTC", "is more often than anything", "every 1m"),
        ("learned 1s to 1h", "UTC", "is more often than anything", "every 1m"),
        ("learned 2h to 1h", "UTC", "is above its ceiling", "learned 15m to 1h"),
        ("every 2 years", "UTC", "does not say how often", "every 15m"),
        ("every 400d", "UTC", "is longer than a year", "cron"),
        ("every", "UTC", "does not say when", "every 15m"),
        ("", "UTC", "does not say when", "every 15m"),
        ("tomorrow", "UTC", "does not say when", "0 7"),
        ("0 7 * * mon", "Europe/Berln", "no time zone 'Europe/Berln'", "Europe/Berlin"),
        ("0 7 * * mon", "../etc/passwd", "There is no time zone", "Europe/Berlin"),
        ("0 7 * * mon", "", "There is no time zone", "Europe/Berlin"),
        ("0 0 30 2 *", "UTC", "never comes", "30 February"),
    ],
)
def test_one_sentence_and_a_hint(text: str, zone: str, says: str, hint: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(text, zone)
    assert says in refused.value.message
    assert refused.value.message.count(". ") == 0
    assert hint in refused.value.hint


@pytest.mark.parametrize("text", ["90s", "15m", "2h", "1d", "26h"])
def test_spans_are_told_as_they_are_given(text: str) -> None:
    found = spans.seconds(text)
    assert found
    assert spans.short(found) == text
