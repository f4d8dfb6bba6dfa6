"""Links to meetings that are held by video."""

from __future__ import annotations

import pytest

from headrace.mail.meetings import meeting_in

MEET = "https://meet.google.com/abc-defg-hij"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        (f"Join: {MEET}.", MEET),
        (f"<{MEET}?authuser=0>", f"{MEET}?authuser=0"),
        ("https://us02web.zoom.us/j/123456789?pwd=abc)", "https://us02web.zoom.us/j/123456789?pwd=abc"),
        ("https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d",
         "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d"),
        ("https://x.webex.com/x/j.php?MTID=m1", "https://x.webex.com/x/j.php?MTID=m1"),
        ("https://acme.whereby.com/room", "https://acme.whereby.com/room"),
        ("https://meet.jit.si/Room7", "https://meet.jit.si/Room7"),
        (f"https://x.example/a {MEET}", MEET),
        ("https://zoom.us/pricing", None),
        ("https://zoom.us.evil.example/j/1", None),
        ("https://evilzoom.us/j/1", None),
        ("https://meet.google.com/", None),
        ("zoom.us/j/1", None),
        ("", None),
        (None, None),
    ],
)  # fmt: skip
def test_links(text: str | None, link: str | None) -> None:
    assert meeting_in(text) == link


def test_the_first_text_that_has_one() -> None:
    assert meeting_in(None, "nothing", MEET, "https://zoom.us/j/1") == MEET
