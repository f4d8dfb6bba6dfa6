"""Gmail's lists, page by page: messages, history, drafts."""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from headrace.twin.google.asks import Ask, bound
from headrace.twin.google.gmail_asks import ListDrafts, ListHistory, ListMessages
from headrace.twin.google.history import Record
from headrace.twin.google.mail_search import search
from headrace.twin.google.problem import Problem, bad_parameter, not_found
from headrace.twin.google.scopes import READS_CONTENT
from headrace.twin.google.visit import Json, Visit, page_size

_OWN = frozenset({"pageToken", "maxResults"})
_ESTIMATE = 201
"""What Gmail says of any list with more to come: nobody should build on it."""


class _Place(msgspec.Struct, frozen=True):
    """Where a walk goes on, and the number of the page there."""

    ask: dict[str, Any]
    page: int
    at: Any


def list_messages(visit: Visit, ask: ListMessages) -> Json:
    """Newest first. What arrives during a walk is before it, and thus not in it."""
    if ask.q and not visit.scopes & READS_CONTENT:
        raise Problem(403, "forbidden", "Metadata scope does not support 'q' parameter")
    box = visit.account.mailbox
    place = _place(visit, ask, "messages")
    before = (place.at[0], place.at[1]) if place.at else None
    matches = search(box, ask.q, ask.label_ids, include_hidden=ask.include_spam_trash)
    found = list(islice(filter(matches, box.newest_first(before)), ask.wanted + 1))
    page = found[: ask.wanted]
    answer: Json = {"resultSizeEstimate": len(page)}
    if page:
        answer["messages"] = [{"id": mail.id, "threadId": mail.thread} for mail in page]
    if len(found) > len(page):
        answer["nextPageToken"] = _next(visit, "messages", place, page[-1].key)
        answer["resultSizeEstimate"] = _ESTIMATE
    return answer


def list_history(visit: Visit, ask: ListHistory) -> Json:
    """Oldest first. Raises Problem (404) for an id that is too old, also in mid-walk."""
    box = visit.account.mailbox
    if not ask.start_history_id.isdecimal():
        raise bad_parameter("startHistoryId", "startHistoryId is required, and a number.")
    since = int(ask.start_history_id)
    if not box.history.knows(since):
        raise not_found()
    if ask.label_id and ask.label_id not in box.labels:
        raise bad_parameter("labelId", f"Invalid label: {ask.label_id}")
    place = _place(visit, ask, "history")
    wanted = page_size(ask.wanted, place.page, sparse=visit.sparse)
    records = filter(lambda one: _tells(ask, one), box.history.after(place.at or since))
    found = list(islice(records, wanted + 1))
    page = found[:wanted]
    answer: Json = {"historyId": str(box.history.now)}
    if page:
        answer["history"] = [record.told() for record in page]
    if len(found) > len(page):
        at = page[-1].id if page else place.at or since
        answer["nextPageToken"] = _next(visit, "history", place, at)
    return answer


def list_drafts(visit: Visit, ask: ListDrafts) -> Json:
    """The latest drafts first, with the ids that their messages have now."""
    box = visit.account.mailbox
    place = _place(visit, ask, "drafts")
    matches = search(box, ask.q, (), include_hidden=ask.include_spam_trash)
    all_drafts = []
    for draft, name in reversed(box.drafts.items()):
        mail = box.get(name)
        if mail is not None and matches(mail):
            all_drafts.append({"id": draft, "message": {"id": mail.id, "threadId": mail.thread}})
    start = place.at or 0
    page = all_drafts[start : start + ask.wanted]
    answer: Json = {"resultSizeEstimate": len(page)}
    if page:
        answer["drafts"] = page
    if start + len(page) < len(all_drafts):
        answer["nextPageToken"] = _next(visit, "drafts", place, start + len(page))
    return answer


def _tells(ask: ListHistory, record: Record) -> bool:
    # By its labels after the change: of a label taken off its own history says nothing.
    return (not ask.history_types or record.kind in ask.history_types) and (
        not ask.label_id or ask.label_id in record.labels
    )


def _place(visit: Visit, ask: ListMessages | ListHistory | ListDrafts, what: str) -> _Place:
    """Raises Problem (400) for a page token of another account, list or question."""
    now = _bound(ask)
    if not ask.page_token:
        return _Place(now, 0, None)
    place = visit.tokens.read(f"{what} {visit.account.email}", ask.page_token, _Place)
    if place is None or place.ask != now:
        raise bad_parameter("pageToken", "Invalid pageToken")
    return place


def _next(visit: Visit, what: str, place: _Place, at: object) -> str:
    further = _Place(place.ask, place.page + 1, at)
    return visit.tokens.write(f"{what} {visit.account.email}", further)


def _bound(ask: Ask) -> dict[str, Any]:
    return bound(ask, apart_from=_OWN)
