"""The scopes that clients ask for, by their short names."""

from __future__ import annotations

_ROOT = "https://www.googleapis.com/auth/"
MAIL = "https://mail.google.com/"
OPENID, EMAIL, PROFILE = "openid", "email", "profile"


def _named(*names: str) -> frozenset[str]:
    return frozenset(_ROOT + name for name in names)


GMAIL_METADATA = _ROOT + "gmail.metadata"
READS_CONTENT = _named("gmail.readonly", "gmail.modify") | {MAIL}
"""Any of these reads whole messages."""
READS_MAIL = READS_CONTENT | {GMAIL_METADATA}
READS_DRAFTS = READS_CONTENT | _named("gmail.compose")
READS_PROFILE = READS_MAIL | _named("gmail.compose")
READS_LABELS = READS_MAIL | _named("gmail.labels")
READS_SETTINGS = READS_CONTENT | _named("gmail.settings.basic")

READS_CALENDARS = _named("calendar", "calendar.readonly")
READS_LIST = READS_CALENDARS | _named("calendar.calendarlist", "calendar.calendarlist.readonly")
READS_EVENTS = READS_CALENDARS | _named("calendar.events", "calendar.events.readonly")
READS_CALENDAR = READS_CALENDARS | _named("calendar.calendars", "calendar.calendars.readonly")

_LONG = {EMAIL: _ROOT + "userinfo.email", PROFILE: _ROOT + "userinfo.profile"}
WHO = frozenset({OPENID, *_LONG, *_LONG.values()})
"""Who somebody is: never unticked."""
DEVICE = WHO | _named("drive.appdata", "drive.file", "youtube", "youtube.readonly")
"""All that Google's device flow grants."""
KNOWN = (
    READS_PROFILE
    | READS_LABELS
    | READS_SETTINGS
    | READS_LIST
    | READS_EVENTS
    | READS_CALENDAR
    | DEVICE
)


def granted(wanted: str, allowed: frozenset[str] | None) -> frozenset[str]:
    """Of scopes parted by spaces those that were ticked (None: all), in their long form."""
    ticked = {one for one in wanted.split() if allowed is None or one in allowed or one in WHO}
    return frozenset(_LONG.get(one, one) for one in ticked)


def unknown(wanted: str) -> list[str]:
    """The scopes among these that there are not."""
    return [one for one in wanted.split() if one not in KNOWN]
