"""emulate's Google: what is in it at first, and what has to be answered for it.

It has neither `users.getProfile` nor `calendars.get`. Both are answered here out of what it says
elsewhere, and nothing else is.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from email.message import EmailMessage
from typing import Any

from tests.accounts import at_google
from tests.stand_ins.emulate import Emulate, bearer

from headrace.settings import Settings
from headrace.twin.message import Answer, Request, answer_json

ANN = "ann@example.com"
ANYBODY = "no-token-of-anybody"
"""Whoever comes with a token that it never gave is its first account: that is for the tests."""

MAIL = "/gmail/v1/users/me"
BACK = "http://127.0.0.1:1/back"
LABEL = {"id": "Label_ops", "name": "Ops/Review", "user_email": ANN}
OWN, TEAM = ANN, "team@group.calendar.google.com"
_CLIENT = {"client_id": "headrace.apps.googleusercontent.com", "client_secret": "GOCSPX-emulate"}
_NEWEST_FIRST = 1_790_000_000_000
"""The time of the first message, in milliseconds; each is an hour older than the one before."""

PLACES = [["INBOX", "UNREAD"], ["INBOX", "Label_ops"], ["SENT"], ["TRASH"], ["SPAM"], ["DRAFT"]]
"""The labels that messages have in turn."""


def settings(url: str) -> Settings:
    """Settings under which Google is emulate."""
    return at_google(
        url,
        google_auth_url=f"{url}/o/oauth2/v2/auth",
        google_token_url=f"{url}/oauth2/token",
        google_client_id=_CLIENT["client_id"],
        google_client_secret=_CLIENT["client_secret"],
    )


def seed(messages: int = 0, events: int = 0) -> dict[str, Any]:
    """An account with so many messages, and so many events in its own calendar."""
    return {
        "users": [{"email": ANN, "name": "Ann"}],
        "oauth_clients": [{**_CLIENT, "redirect_uris": [BACK]}],
        "labels": [LABEL],
        "messages": [message(number) for number in range(messages)],
        "calendars": [
            {"id": OWN, "user_email": ANN, "summary": ANN, "primary": True},
            {"id": TEAM, "user_email": ANN, "summary": "Team"},
        ],
        "calendar_events": [
            {**event(number), "user_email": ANN, "calendar_id": OWN} for number in range(events)
        ]
        + ([{**event(events), "user_email": ANN, "calendar_id": TEAM}] if events else []),
    }


def message(number: int) -> dict[str, Any]:
    """A message; every fourth is MIME with an attachment."""
    labels = PLACES[number % len(PLACES)]
    sent = "SENT" in labels or "DRAFT" in labels
    bob = f"Bob Größe <bob{number}@example.org>"
    who = {"from": ANN, "to": bob} if sent else {"from": bob, "to": ANN}
    made = {
        **who,
        "id": f"msg{number:04}",
        "thread_id": f"thr{number // 2:04}",
        "user_email": ANN,
        "subject": f"Angebot № {number}",
        "label_ids": labels,
        "message_id": f"<{number}@example.org>",
        "internal_date": str(_NEWEST_FIRST - number * 3_600_000),
    }
    if number % 4:
        return {**made, "body_text": f"Text of {number}", "body_html": f"<p>Text of {number}</p>"}
    mime = EmailMessage()
    mime.set_content(f"Text of {number}\n")
    mime.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="offer.pdf")
    # Its addresses and subject are those beside it.
    return {**made, "raw": urlsafe_b64encode(mime.as_bytes()).decode()}


def event(number: int) -> dict[str, Any]:
    """An event; every fifth is of whole days."""
    made: dict[str, Any] = {"id": f"evt{number:04}", "summary": f"Meeting {number}"}
    if number % 5 == 0:
        return {**made, "start_date": "2026-11-23", "end_date": "2026-11-25"}
    return {
        **made,
        "location": "Room 7",
        "start_date_time": f"2026-11-{1 + number % 28:02}T09:00:00.000Z",
        "end_date_time": f"2026-11-{1 + number % 28:02}T10:30:00.000Z",
        "attendees": [{"email": "bob@example.org"}, {"email": ANN}],
    }


async def fill(emulate: Emulate, request: Request) -> Answer | None:
    """The two answers that emulate does not have."""
    token = bearer(request)
    if request.path == f"{MAIL}/profile":
        who = await emulate.ask("GET", "/oauth2/v2/userinfo", token=token)
        said = await emulate.ask("GET", f"{MAIL}/history", token=token, startHistoryId="0")
        mail = await emulate.ask("GET", f"{MAIL}/messages", token=token, includeSpamTrash="true")
        return answer_json(
            {
                "emailAddress": who["email"],
                "historyId": said["historyId"],
                "messagesTotal": mail["resultSizeEstimate"],
            }
        )
    if request.path == "/calendar/v3/calendars/primary":
        listed = await emulate.ask("GET", "/calendar/v3/users/me/calendarList", token=token)
        [own] = [one for one in listed["items"] if one.get("primary")]
        return answer_json({"kind": "calendar#calendar", "id": own["id"]})
    return None
