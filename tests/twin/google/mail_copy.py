"""A copy of a mailbox kept in step by its history alone, as a client would keep it."""

from __future__ import annotations

from typing import Any

from tests.twin.google.visitor import Json

Copy = dict[str, dict[str, Any]]


def apply(copy: Copy, page: Json) -> None:
    """Do to a copy what one page of history says."""
    for record in page.get("history", ()):
        for field in ("messagesAdded", "messagesDeleted", "labelsAdded", "labelsRemoved"):
            for change in record.get(field, ()):
                _apply(copy, field, record["id"], change)


def _apply(copy: Copy, field: str, history: str, change: Json) -> None:
    message = change["message"]
    if field == "messagesDeleted":
        copy.pop(message["id"], None)
        return
    if field == "messagesAdded":
        copy[message["id"]] = {"threadId": message["threadId"], "labelIds": message["labelIds"]}
    elif message["id"] not in copy:
        return
    known = copy[message["id"]]
    if field == "labelsAdded":
        known["labelIds"] = sorted({*known["labelIds"], *change["labelIds"]})
    elif field == "labelsRemoved":
        known["labelIds"] = sorted(set(known["labelIds"]) - set(change["labelIds"]))
    known["historyId"] = history


def without_bytes(truth: Copy) -> Copy:
    """The part of the truth that history tells."""
    return {
        name: {field: value for field, value in one.items() if field != "sha256"}
        for name, one in truth.items()
    }
