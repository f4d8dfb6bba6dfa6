"""What it means that Google Calendar refuses a token (rules C3, C12)."""

from __future__ import annotations

from headrace.errors import HeadraceError, Retry
from headrace.google.calendar_place import At
from headrace.http import Answer


def about_tokens(answer: Answer, at: At) -> HeadraceError | None:
    """The error for a token that is good no more, at whatever page; None for anything else."""
    if answer.status == 410:
        if not at.tokens():
            return Retry("Google Calendar asks for a full sync, and this was to be one.")
        return At().begin_here("Google Calendar asks for a full sync.")
    if answer.status == 400 and at.tokens() and b"token" in answer.body[:4096].lower():
        # Of a page's token the walk begins again where it began; of its own, with everything.
        keeps = at.page and b"syncToken" not in answer.body[:4096]
        again = At(since=at.since) if keeps else At()
        return again.begin_here("Google Calendar refuses its token.")
    return None
