"""What Google Calendar's refusals mean, where it depends on what was asked."""

from __future__ import annotations

from headrace.calendars.place import At
from headrace.errors import Expired, HeadraceError, NeedsHuman, Retry
from headrace.http import Answer


def not_allowed(answer: Answer) -> NeedsHuman | None:
    """A 403 that only a person can mend; None for one about a single calendar."""
    said = answer.body[:4096]
    if b"insufficientPermissions" in said or b"SCOPE_INSUFFICIENT" in said:
        return NeedsHuman(
            "Google Calendar was not allowed when the account was connected.",
            hint="Connect it again, and tick the box for its calendars.",
            reauth=True,
        )
    if b"domainPolicy" in said:
        return NeedsHuman(
            "The account's organisation does not allow this access to Google Calendar.",
            hint="Ask its administrator to allow it.",
        )
    if b"accessNotConfigured" in said:
        return NeedsHuman(
            "Google Calendar's API is not switched on for Headrace's client.",
            hint="Enable it in the Google Cloud project that the client belongs to.",
        )
    return None


def about_tokens(answer: Answer, at: At) -> HeadraceError | None:
    """A token that is good no more, at whatever page (rules C3, C12); None for anything else."""
    if answer.status == 410:
        if not at.tokens():
            return Retry("Google Calendar asks for a full sync, and this was to be one.")
        return Expired("Google Calendar asks for a full sync.")
    if answer.status == 400 and at.tokens() and b"token" in answer.body[:4096].lower():
        # Of a page's token the walk begins again where it began; of its own, with everything.
        keeps = at.page is not None and b"syncToken" not in answer.body[:4096]
        sync = at.sync if keeps else None
        return Expired("Google Calendar refuses its token.", cursor=At(sync=sync).cursor())
    return None
