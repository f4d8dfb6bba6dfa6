"""How waits are read from headers: every format there is, to the second."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.http import waits

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("2.5", 2.5),
        ("0", 0.0),
        ("-5", 0.0),
        ("31536000", 31_536_000.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", 60.0),
        ("Tue Nov 14 22:14:20 2023", 60.0),
        ("Tue, 14 Nov 2023 22:12:20 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_in_every_format(text: str, expected: float | None) -> None:
    """Covers R6, A2.33: integer, float, HTTP-date, past, negative, garbage, a year."""
    assert waits.seconds_until(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    ["60", "1700000060", "1700000060000", "1700000060000000", "2023-11-14T22:14:20Z"],
)
def test_reset_is_told_apart_by_magnitude(text: str) -> None:
    """Covers R7, A2.31: delta, epoch in s, ms and us, and ISO all mean one minute."""
    for name in waits.RESETS:
        assert waits.until_reset({name: text}, NOW) == pytest.approx(60, abs=1e-6)


def test_the_recordings_of_octokit_hold_milliseconds() -> None:
    """Covers R7: 1507651200000 is a day in 2017, not 56,000 years to wait."""
    assert waits.until_reset({"X-RateLimit-Reset": "1507651200000"}, NOW) == 0.0


def test_retry_after_is_preferred_and_a_useless_one_passed_over() -> None:
    """Covers R6, R7: the more exact of the two is taken."""
    both = {"Retry-After": "3", "X-RateLimit-Reset": "60"}
    useless = {"Retry-After": "later", "X-RateLimit-Reset": "60"}

    assert waits.advised(both, NOW) == 3.0
    assert waits.advised(useless, NOW) == 60.0
    assert waits.advised({}, NOW) is None


def test_google_names_the_time_only_in_its_text() -> None:
    """Covers G10: "Retry after 2025-..." inside the message."""
    body = b'{"error":{"message":"User-rate limit exceeded. Retry after 2023-11-14T22:13:50.5Z"}}'

    assert waits.advised({}, NOW, body) == pytest.approx(30.5)


@pytest.mark.parametrize(
    ("said", "expected"), [("0", True), (" 0 ", True), ("0.0", True), ("1", False), ("x", False)]
)
def test_used_up(said: str, expected: bool) -> None:
    """Covers A2.29: when none remain, the next request waits for the reset."""
    assert waits.exhausted({"X-RateLimit-Remaining": said}) is expected
    assert waits.exhausted({"RateLimit-Remaining": said}) is expected
    assert not waits.exhausted({})


@given(st.text(max_size=40) | st.floats().map(str) | st.integers().map(str))
def test_whatever_is_sent_the_wait_is_a_number_or_nothing(text: str) -> None:
    """Covers R6, R7: no header can make the client fail or wait a negative time."""
    found = waits.seconds_until(text, NOW)

    assert found is None or (found >= 0 and math.isfinite(found))
