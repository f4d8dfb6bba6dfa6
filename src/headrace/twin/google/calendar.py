"""Calendar v3: the methods that read calendars."""

from __future__ import annotations

from typing import Any

from headrace.twin.google import scopes
from headrace.twin.google.asks import Nothing
from headrace.twin.google.book import Event
from headrace.twin.google.calendar_asks import (
    NEVER_WITH_SYNC,
    GetEvent,
    ListCalendars,
    ListEvents,
    ListInstances,
)
from headrace.twin.google.calendar_walk import Walk
from headrace.twin.google.calendars import Entry
from headrace.twin.google.clock import rfc3339
from headrace.twin.google.event_rows import Row, all_rows, changed_rows, is_ordered
from headrace.twin.google.event_view import view
from headrace.twin.google.problem import bad_parameter, not_found
from headrace.twin.google.visit import Call, Json, Visit
from headrace.twin.google.when import bound_named, instant, moment

_LARGEST_LIST, _LARGEST_PAGE = 250, 2_500
_ROLES = ("freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")
_REMINDERS = [{"method": "popup", "minutes": 10}]


def list_calendars(visit: Visit, ask: ListCalendars) -> Json:
    """The calendars in the list, or what has changed in it. Raises Problem (400, 410)."""
    calendars = visit.account.calendars
    if ask.sync_token:
        if ask.show_deleted is False or ask.show_hidden is False:
            raise bad_parameter("showDeleted", "Beside a sync token it must not be false.")
        if ask.min_access_role or ask.show_own_organization_only:
            raise bad_parameter("minAccessRole", "It cannot be given beside a sync token.")
    walk = _walk(visit, ask, "calendarList", calendars.epoch, calendars.seq)
    rows: list[Row] = []
    for number, entry in enumerate(calendars):
        if walk.since is not None:
            if entry.seq > walk.since:
                rows.append(([entry.seq, entry.id], _entry(entry)))
        elif _is_listed(entry, ask):
            rows.append(([number, entry.id], _entry(entry)))
    items, token = walk.page(rows, min(ask.max_results, _LARGEST_LIST))
    if ask.min_access_role or ask.show_own_organization_only:
        token.pop("nextSyncToken", None)
    etag = f'"p{calendars.seq}"'
    return {"kind": "calendar#calendarList", "etag": etag, "items": items, **token}


def get_calendar(visit: Visit, _ask: Nothing) -> Json:
    """What a calendar is, whoever looks. Raises Problem (404)."""
    entry = _need(visit)
    return {
        "kind": "calendar#calendar",
        "etag": f'"c{entry.seq}"',
        "id": entry.id,
        "summary": entry.summary,
        "timeZone": entry.zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }


def list_events(visit: Visit, ask: ListEvents) -> Json:
    """The events of a calendar, or what has changed in it. Raises Problem (400, 404, 410)."""
    entry = _need(visit)
    if ask.sync_token:
        _check_beside_sync(ask)
    if ask.order_by == "startTime" and not ask.single_events:
        raise bad_parameter("orderBy", "The requested ordering needs singleEvents=true.")
    book = entry.book
    walk = _walk(visit, ask, f"events {entry.id}", book.epoch, book.seq)
    rows = (
        all_rows(book, ask, visit.clock, walk.place.at)
        if walk.since is None
        else changed_rows(book, ask, walk.since, visit.clock)
    )
    ordered = walk.since is None and is_ordered(ask)
    bodies, token = walk.page(rows, min(ask.max_results, _LARGEST_PAGE), ordered=ordered)
    if ask.q or ask.order_by or ask.i_cal_uid or ask.updated_min or _asks_properties(ask):
        token.pop("nextSyncToken", None)  # such a list is not one that can be kept in step
    return _events(visit, entry, ask, bodies) | token


def get_event(visit: Visit, ask: GetEvent) -> Json:
    """One event, also a cancelled one, or one occurrence of a series. Raises Problem (404)."""
    entry, name = _need(visit), visit.ids["eventId"]
    event = entry.book.get(name)
    if event is not None:
        return view(entry, visit.account.email, event.body, ask)
    series = entry.book.get(name.rpartition("_")[0])
    if series is not None and series.repeats:
        for body in entry.book.instances(series):
            if body["id"] == name:
                return view(entry, visit.account.email, body, ask)
    raise not_found("calendar")


def list_instances(visit: Visit, ask: ListInstances) -> Json:
    """The occurrences of a series. Raises Problem (404) for what is no series."""
    entry = _need(visit)
    series = entry.book.get(visit.ids["eventId"])
    if series is None or not series.repeats:
        raise not_found("calendar")
    book = entry.book
    walk = _walk(visit, ask, f"instances {entry.id} {series.id}", book.epoch, book.seq)
    rows: list[Row] = [
        ([number, ""], body) for number, body in enumerate(_asked(entry, series, ask))
    ]
    bodies, token = walk.page(rows, min(ask.max_results, _LARGEST_PAGE))
    token.pop("nextSyncToken", None)
    return _events(visit, entry, ask, bodies) | token


def _asked(entry: Entry, series: Event, ask: ListInstances) -> list[Json]:
    low = bound_named("timeMin", ask.time_min) if ask.time_min else None
    high = bound_named("timeMax", ask.time_max) if ask.time_max else None
    found = []
    for body in entry.book.instances(series):
        original = instant(moment(body["originalStartTime"]))
        if body["status"] == "cancelled":
            start = end = original
            if not ask.show_deleted:
                continue
        else:
            start, end = instant(moment(body["start"])), instant(moment(body["end"]))
        if ask.original_start and original != bound_named("originalStart", ask.original_start):
            continue
        if (low is None or end > low) and (high is None or start < high):
            found.append(body)
    return found


def _events(visit: Visit, entry: Entry, ask: GetEvent, bodies: list[Json]) -> Json:
    return {
        "kind": "calendar#events",
        "etag": f'"p{entry.book.seq}"',
        "summary": entry.summary,
        "updated": rfc3339(entry.book.changed_ms / 1_000),
        "timeZone": ask.time_zone or entry.zone,
        "accessRole": entry.role,
        "defaultReminders": _REMINDERS if entry.primary else [],
        "items": [view(entry, visit.account.email, body, ask) for body in bodies],
    }


def _walk(
    visit: Visit, ask: ListEvents | ListCalendars | ListInstances, what: str, epoch: int, seq: int
) -> Walk:
    return Walk(visit, ask, what, epoch=epoch, seq=seq, ttl_s=visit.sync_ttl_s)


def _check_beside_sync(ask: ListEvents) -> None:
    for name, field in NEVER_WITH_SYNC.items():
        if getattr(ask, field):
            raise bad_parameter(name, f"{name} cannot be given beside a sync token.")
    if ask.show_deleted is False:
        raise bad_parameter("showDeleted", "Beside a sync token it must not be false.")


def _asks_properties(ask: ListEvents) -> bool:
    return bool(ask.private_extended_property or ask.shared_extended_property)


def _need(visit: Visit) -> Entry:
    entry = visit.account.calendars.get(visit.ids["calendarId"])
    if entry is None:
        raise not_found("calendar")
    return entry


def _is_listed(entry: Entry, ask: ListCalendars) -> bool:
    least = _ROLES.index(ask.min_access_role or _ROLES[0])
    return (
        (not entry.deleted or bool(ask.show_deleted))
        and (not entry.hidden or bool(ask.show_hidden))
        and _ROLES.index(entry.role) >= least
    )


def _entry(entry: Entry) -> Json:
    kind = {"kind": "calendar#calendarListEntry", "etag": f'"{entry.seq}"', "id": entry.id}
    if entry.deleted:
        return {**kind, "deleted": True}
    told: Json = {
        **kind,
        "summary": entry.summary,
        "timeZone": entry.zone,
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "selected": True,
        "accessRole": entry.role,
        "defaultReminders": _REMINDERS if entry.primary else [],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    return (
        told
        | ({"primary": True} if entry.primary else {})
        | ({"hidden": True, "selected": False} if entry.hidden else {})
    )


_ROOT = "/calendar/v3"
_EVENTS = f"{_ROOT}/calendars/{{calendarId}}/events"
CALLS: tuple[Call[Any], ...] = (
    Call(
        "calendarList.list",
        f"{_ROOT}/users/me/calendarList",
        ListCalendars,
        scopes.READS_LIST,
        list_calendars,
    ),
    Call(
        "calendars.get",
        f"{_ROOT}/calendars/{{calendarId}}",
        Nothing,
        scopes.READS_CALENDAR,
        get_calendar,
    ),
    Call("events.list", _EVENTS, ListEvents, scopes.READS_EVENTS, list_events),
    Call("events.get", f"{_EVENTS}/{{eventId}}", GetEvent, scopes.READS_EVENTS, get_event),
    Call(
        "events.instances",
        f"{_EVENTS}/{{eventId}}/instances",
        ListInstances,
        scopes.READS_EVENTS,
        list_instances,
    ),
)
"""Every method that is served."""
