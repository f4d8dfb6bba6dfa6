"""The twin's paths, parameters, scopes and answers are those of Google's discovery documents."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any, get_args, get_origin

import msgspec
import pytest
from tests.twin.google.discovery import FILES, extract, trimmed
from tests.twin.google.shapes import wrong_in
from tests.twin.google.visitor import CALENDAR as CALENDAR_ROOT
from tests.twin.google.visitor import EVENTS, Visitor
from tests.twin.google.visitor import GMAIL as GMAIL_ROOT

from headrace.twin.google.calendar import CALLS as CALENDAR
from headrace.twin.google.gmail import CALLS as GMAIL
from headrace.twin.google.visit import Call

Start = Callable[..., Awaitable[Visitor]]
METHODS = [("gmail", call) for call in GMAIL] + [("calendar", call) for call in CALENDAR]


def facts(api: str, call: Call[Any]) -> dict[str, Any]:
    said: dict[str, Any] = trimmed()[api]["methods"][call.name]
    return said


@pytest.mark.parametrize(("api", "call"), METHODS)
def test_a_method_has_the_path_and_scopes_of_the_document(api: str, call: Call[Any]) -> None:
    said = facts(api, call)
    assert (said["http"], said["path"]) == ("GET", call.path)
    assert call.scopes <= set(said["scopes"])


@pytest.mark.parametrize(("api", "call"), METHODS)
def test_a_method_takes_every_parameter_of_the_document_and_no_other(
    api: str, call: Call[Any]
) -> None:
    said = {n: p for n, p in facts(api, call)["parameters"].items() if p["location"] == "query"}
    taken = {field.encode_name: field.type for field in msgspec.structs.fields(call.ask)}
    assert set(taken) == set(said)
    for name, kind in taken.items():
        assert (get_origin(kind) is tuple) == said[name].get("repeated", False), name
        assert ("int" in str(kind)) == (said[name]["type"] == "integer"), name
        assert ("bool" in str(kind)) == (said[name]["type"] == "boolean"), name
        values = {one for one in _literals(kind) if one}
        assert values == set(said[name].get("enum", ())), name


def _literals(kind: Any) -> set[str]:
    found = {one for one in get_args(kind) if isinstance(one, str)}
    return found.union(*(_literals(one) for one in get_args(kind) if not isinstance(one, str)))


async def test_every_method_answers_in_the_shape_of_the_document(start: Start) -> None:
    """All of them are asked here; `Visitor.get` refuses a field or a type that is not Google's."""
    visitor = await start(messages=1_000, events=60)
    answers = [
        await visitor.get(f"{GMAIL_ROOT}/{path}")
        for path in ("profile", "labels", "labels/INBOX", "settings/sendAs", "drafts")
    ]
    draft = answers[-1]["drafts"][0]["id"]
    await visitor.get(f"{GMAIL_ROOT}/drafts/{draft}")
    forms = set()
    async for page in visitor.pages(f"{GMAIL_ROOT}/messages", {"includeSpamTrash": "true"}):
        for item in page["messages"]:
            mail = await visitor.get(f"{GMAIL_ROOT}/messages/{item['id']}")
            forms.add(mail["payload"]["mimeType"])
    assert forms >= {"text/plain", "text/html", "multipart/alternative", "multipart/mixed"}
    for form in ("full", "metadata", "minimal"):
        await visitor.get(f"{GMAIL_ROOT}/threads/{mail['threadId']}", {"format": form})
    for form in ("raw", "metadata", "minimal"):
        await visitor.get(f"{GMAIL_ROOT}/messages/{mail['id']}", {"format": form})
    box = visitor.google.account().mailbox
    since = str(box.history.now)
    box.unspam(box.deliver(labels=["SPAM"]))
    box.delete(box.nth(0))
    told = await visitor.get(f"{GMAIL_ROOT}/history", {"startHistoryId": since})
    kinds = set().union(*told["history"]) - {"id", "messages"}
    assert kinds == {"messagesAdded", "messagesDeleted", "labelsAdded", "labelsRemoved"}
    for item in (await visitor.get(f"{CALENDAR_ROOT}/users/me/calendarList"))["items"]:
        events = (await visitor.get(_events(item["id"]), {"maxResults": "2500"}))["items"]
        assert events
        await visitor.get(f"{CALENDAR_ROOT}/calendars/{_quoted(item['id'])}")
        for event in events:
            await visitor.get(f"{_events(item['id'])}/{event['id']}")
    series = next(event for event in events if "recurrence" in event)
    await visitor.get(f"{_events(item['id'])}/{series['id']}/instances", {"showDeleted": "true"})
    await visitor.get(EVENTS, {"singleEvents": "true", "showDeleted": "true"})
    called = set((await visitor.stats())["calls"])
    assert called >= {call.name for _, call in METHODS} - {"messages.attachments.get"}


def _quoted(name: str) -> str:
    return name.replace("#", "%23")


def _events(name: str) -> str:
    return f"{CALENDAR_ROOT}/calendars/{_quoted(name)}/events"


@pytest.mark.parametrize(
    ("api", "name", "body"),
    [
        ("gmail", "getProfile", {"historyId": 5}),
        ("gmail", "getProfile", {"historyId": str(2**64)}),
        ("gmail", "messages.get", {"raw": "a+b/"}),
        ("gmail", "labels.get", {"type": "own"}),
        ("calendar", "events.list", {"items": [{"start": {"day": "2026-01-01"}}]}),
        ("calendar", "events.list", {"updated": "2026-01-01"}),
    ],
)
def test_the_check_finds_what_is_wrong(api: str, name: str, body: dict[str, Any]) -> None:
    assert len(wrong_in(api, name, body)) == 1


def test_what_is_kept_of_the_documents_is_what_they_say() -> None:
    """Only where somebody has installed google-api-python-client, which we do not need."""
    pytest.importorskip("googleapiclient")
    folder = resources.files("googleapiclient") / "discovery_cache" / "documents"
    documents = {api: json.loads((folder / name).read_text("utf-8")) for api, name in FILES.items()}
    for api, theirs in extract(documents).items():
        assert trimmed()[api] | {"revision": theirs["revision"]} == theirs
