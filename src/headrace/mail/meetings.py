"""Links to meetings that are held by video."""

from __future__ import annotations

import re

_LINK = re.compile(
    r"https?://([a-z0-9.-]{1,253})(?::\d{1,5})?(/[^\s<>\"'\\^`{|}]{1,1000})", re.IGNORECASE
)
_AFTER = ".,;:!?*_)]>"  # ends the sentence, and not the link
_PLACES = (
    ("meet.google.com", re.compile(r"/(?:[a-z]{3}-[a-z]{4}-[a-z]{3}\b|lookup/\w)", re.IGNORECASE)),
    ("zoom.us", re.compile(r"/(?:j|w|s|my|wc/join)/\w")),
    ("zoomgov.com", re.compile(r"/(?:j|w|s|my)/\w")),
    ("teams.microsoft.com", re.compile(r"/(?:l/meetup-join|meet)/", re.IGNORECASE)),
    ("teams.live.com", re.compile(r"/meet/", re.IGNORECASE)),
    ("webex.com", re.compile(r"/(?:meet|join)/|/[\w/.-]{0,80}[?&]MTID=", re.IGNORECASE)),
    ("whereby.com", re.compile(r"/(?!blog|information|user)[\w-]{3,}")),
    ("meet.jit.si", re.compile(r"/\w")),
    ("8x8.vc", re.compile(r"/\w")),
)
_READ = 64 * 1024


def meeting_in(*texts: str | None) -> str | None:
    """The first link to a meeting of a known kind, of the first text that has one."""
    for text in texts:
        if text is None or "://" not in text:
            continue
        for link in _LINK.finditer(text[:_READ]):
            host = link[1].lower()
            for name, path in _PLACES:
                if (host == name or host.endswith(f".{name}")) and path.match(link[2]):
                    return link[0].rstrip(_AFTER)
    return None
