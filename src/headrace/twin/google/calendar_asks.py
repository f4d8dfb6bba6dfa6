"""What Calendar's methods take in their query."""

from __future__ import annotations

from typing import Literal

import msgspec

from headrace.twin.google.asks import Ask, AtLeastOne

EventType = Literal[
    "birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"
]
AnyRole = Literal["freeBusyReader", "owner", "reader", "writer", "writerWithoutPrivateAccess"]


class GetEvent(Ask, frozen=True):
    """events.get"""

    always_include_email: bool = False
    max_attendees: AtLeastOne | None = None
    time_zone: str = ""


class ListInstances(GetEvent, frozen=True):
    """events.instances"""

    max_results: AtLeastOne = 250
    original_start: str = ""
    page_token: str = ""
    show_deleted: bool | None = None
    time_max: str = ""
    time_min: str = ""


class ListEvents(GetEvent, frozen=True):
    """events.list. A larger page than 2500 is capped without a word, as Calendar does."""

    event_types: tuple[EventType, ...] = ()
    i_cal_uid: str = msgspec.field(default="", name="iCalUID")
    max_results: AtLeastOne = 250
    order_by: Literal["startTime", "updated", ""] = ""
    page_token: str = ""
    private_extended_property: tuple[str, ...] = ()
    q: str = ""
    shared_extended_property: tuple[str, ...] = ()
    show_deleted: bool | None = None
    show_hidden_invitations: bool = False
    single_events: bool = False
    sync_token: str = ""
    time_max: str = ""
    time_min: str = ""
    updated_min: str = ""


class ListCalendars(Ask, frozen=True):
    """calendarList.list. A larger page than 250 is capped without a word, as Calendar does."""

    max_results: AtLeastOne = 100
    min_access_role: AnyRole | None = None
    page_token: str = ""
    show_deleted: bool | None = None
    show_hidden: bool | None = None
    show_own_organization_only: bool = False
    sync_token: str = ""


NEVER_WITH_SYNC = {
    "iCalUID": "i_cal_uid",
    "orderBy": "order_by",
    "privateExtendedProperty": "private_extended_property",
    "q": "q",
    "sharedExtendedProperty": "shared_extended_property",
    "timeMax": "time_max",
    "timeMin": "time_min",
    "updatedMin": "updated_min",
}
"""What events.list refuses beside a sync token, and the field it is read into."""
