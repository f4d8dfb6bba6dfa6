"""What a calendar holds at start: event n by arithmetic, in all the forms that events have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from headrace.twin.google.letters import PEOPLE
from headrace.twin.google.when import told
from headrace.twin.words import ARTICLES, CAMPAIGNS, SERVICES

Json = dict[str, Any]
_START = datetime(2026, 1, 5, tzinfo=UTC)
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")
_RULES = (
    "RRULE:FREQ=WEEKLY;BYDAY=MO,TH",
    "RRULE:FREQ=DAILY;COUNT=10",
    "RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20261231T235959Z",
    "RRULE:FREQ=MONTHLY;COUNT=6",
)
_MANY = 30
_SIGNS = "0123456789abcdefghijklmnopqrstuv"


def event_id(salt: str, number: int) -> str:
    """26 signs of base32hex, as Calendar's own ids are."""
    digest = blake2b(f"event {salt} {number}".encode(), digest_size=17).digest()
    value = int.from_bytes(digest, "big")
    return "".join(_SIGNS[value >> 5 * place & 31] for place in range(26))


def made_up(salt: str, number: int, owner: str) -> Json:
    """The fields of event `number` that its maker chose; the calendar adds its own."""
    draw = blake2b(f"agenda {salt} {number}".encode(), digest_size=4).digest()
    title = (ARTICLES + CAMPAIGNS)[draw[0] % len(ARTICLES + CAMPAIGNS)]
    event: Json = {
        "id": event_id(salt, number),
        "summary": f"{title} #{number}",
        **_times(number, draw),
    }
    form = number % 10
    if form in (3, 7):
        event["recurrence"] = [_RULES[number // 10 % len(_RULES)]]
    if form in (1, 4, 7):
        event["attendees"] = _attendees(owner, _MANY if number % 40 == 14 else 3, draw[1])
    if form in (4, 7):
        event |= _conference(salt, number)
    if form == 5:
        event["status"] = "tentative"
        event["location"] = f"Room {SERVICES[draw[2] % len(SERVICES)]}"
        event["description"] = "Bring the numbers.\n<b>Door code 4711</b>"
    if form == 6:
        name, email = PEOPLE[draw[3] % len(PEOPLE)]
        event["organizer"] = event["creator"] = {"email": email, "displayName": name}
        event["attendees"] = _attendees(owner, 2, draw[1])
    if form == 8:
        event["transparency"] = "transparent"
    if form == 9:
        event["visibility"] = "private"
        event["extendedProperties"] = {"private": {"ticket": f"T-{number}"}}
    return event


def _times(number: int, draw: bytes) -> Json:
    day = _START + timedelta(days=number * 3 % 330)
    if number % 10 in (2, 8):
        first = day.date()
        return {"start": told(first), "end": told(first + timedelta(days=1 + draw[2] % 3))}
    zone = ZoneInfo(_ZONES[number % len(_ZONES)])
    start = day.replace(tzinfo=zone, hour=8 + draw[1] % 9, minute=15 * (draw[2] % 4))
    return {"start": told(start), "end": told(start + timedelta(minutes=15 * (1 + draw[3] % 6)))}


def _attendees(owner: str, count: int, draw: int) -> list[Json]:
    answers = ("accepted", "needsAction", "declined", "tentative")
    found: list[Json] = [{"email": owner, "responseStatus": answers[draw % 4]}]
    for place in range(count - 1):
        name, email = PEOPLE[(draw + place) % len(PEOPLE)]
        extra = f"+{place}" if place >= len(PEOPLE) else ""
        found.append(
            {
                "email": email.replace("@", f"{extra}@"),
                "displayName": name,
                "responseStatus": answers[(draw + place) % 4],
            }
        )
    return found


def _conference(salt: str, number: int) -> Json:
    letters = event_id(salt, number).translate(str.maketrans("0123456789", "klmnopqrst"))
    code = f"{letters[:3]}-{letters[3:7]}-{letters[7:10]}"
    link = f"https://meet.google.com/{code}"
    return {
        "hangoutLink": link,
        "conferenceData": {
            "conferenceId": code,
            "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
            "entryPoints": [{"entryPointType": "video", "uri": link, "label": link[8:]}],
        },
    }
