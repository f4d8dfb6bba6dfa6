"""What is made of what people write at GitHub."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.github.conftest import Open

from headrace.errors import Skip
from headrace.github.records import record_of
from headrace.provider import BadRecord, Record
from headrace.stage import RawEvent, StreamContext
from headrace.stages.normalise_github import normalize_github
from headrace.twin.github.changes import OpenIssue, SayComment, SayReview

REPO = 1001


async def test_every_kind_becomes_an_interaction(open_hub: Open) -> None:
    """Covers X3: who, what, when, which thread, and whether it was oneself."""
    hub = await open_hub(issues=15)
    hub.change(
        OpenIssue(repo=REPO, title="Broken", body="It \U0001f41b"),
        SayComment(repo=REPO, number=16, body="Here too", user="grace"),
        SayReview(repo=REPO, number=5, state="APPROVED", body="Fine", comments=("Why?",)),
    )
    await hub.synced()
    rows = hub.stage()
    assert len(rows) == sum(len(facts) for facts in hub.truth().values())
    assert {row["source"] for row in rows} == {"github"}
    kinds = {"issue", "pull_request", "comment", "review", "commit", "release", "notification"}
    assert {row["kind"] for row in rows} == kinds

    def of(kind: str, **wanted: str) -> dict[str, Any]:
        [found] = [
            row
            for row in rows
            if row["kind"] == kind and all(row[name] == value for name, value in wanted.items())
        ]
        return found

    issue = of("issue", subject="Broken")
    assert (issue["body"], issue["from_name"]) == ("It \U0001f41b", "ada")
    assert (issue["direction"], issue["thread_id"]) == ("outbound", f"{REPO}#16")
    assert issue["occurred_at"].timestamp() == hub.twin.clock.now()
    said = of("comment", body="Here too")
    assert (said["direction"], said["thread_id"]) == ("inbound", f"{REPO}#16")
    assert of("comment", body="Why?")["thread_id"] == f"{REPO}#5"
    review = of("review", body="Fine")
    assert (review["labels"], review["thread_id"]) == (["approved"], f"{REPO}#5")
    commits = [row for row in rows if row["kind"] == "commit"]
    assert all(row["from_address"].endswith("@users.noreply.github.com") for row in commits)
    assert {row["direction"] for row in commits} == {"inbound", "outbound"}
    release = next(row for row in rows if row["kind"] == "release")
    assert release["subject"].startswith("Version 1.")
    told = [row for row in rows if row["kind"] == "notification"]
    assert all("mention" in row["labels"] and row["direction"] == "inbound" for row in told)
    assert {row["thread_id"] for row in told} <= {f"{REPO}#{number}" for number in range(1, 17)}


def made(kind: str, payload: object, addresses: frozenset[str] = frozenset()) -> Any:
    raw = RawEvent("1", 1, None, json.dumps(payload).encode())
    stream = StreamContext("github", f"7/{kind}", "application/vnd.github+json", "{}", addresses)
    [row] = normalize_github.run(raw, stream)
    return row


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("issues", {"title": 7}),
        ("issues", {"labels": "bug"}),
        ("comments", []),
        ("commits", {"commit": {"message": None}}),
        ("stars", {}),
    ],
)
def test_a_field_of_another_type_is_refused(kind: str, payload: object) -> None:
    """Covers R13: that row alone."""
    with pytest.raises(Skip):
        made(kind, payload)


@pytest.mark.parametrize(
    "kind",
    ["issues", "comments", "review_comments", "reviews", "commits", "releases", "notifications"],
)
def test_whatever_is_missing_is_missing(kind: str) -> None:
    """A user that was deleted is null, and so is an empty body."""
    row = made(kind, {"user": None, "author": None, "body": None, "new": 1})
    assert (row.from_name, row.body, row.direction, row.thread_id) == (None, "", None, None)


def test_text_that_postgresql_refuses() -> None:
    """Covers R12."""
    assert made("issues", {"title": "a\0b", "body": "\0", "number": 3}).subject == "ab"


def test_labels_may_be_names_alone() -> None:
    row = made("issues", {"labels": ["bug", {"name": "docs"}, {"name": None}], "number": 3})
    assert (row.labels, row.thread_id) == (["bug", "docs"], "7#3")


@pytest.mark.parametrize(
    ("raw", "ident"),
    [
        (b'{"title":"no id"}', None),
        (b'{"node_id":7}', None),
        (b'{"node_id":"I_1","updated_at":7}', "I_1"),
        (b'{"node_id":"I_1","created_at":"soon"}', "I_1"),
        (b"[]", None),
        (b"[" * 5_000 + b"]" * 5_000, None),
    ],
)
def test_a_row_that_makes_no_sense(raw: bytes, ident: str | None) -> None:
    """Covers R13, R14: a dead letter under its own id, where it has one."""
    found = record_of(raw)
    assert isinstance(found, BadRecord)
    assert found.source_id == ident


def test_a_download_is_no_new_version() -> None:
    rows = [
        b'{"node_id":"RE_1","assets":[{"name":"a","download_count": %d}]}' % number
        for number in (1, 2)
    ]
    first, second = (record_of(row) for row in rows)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.fingerprint == second.fingerprint
    assert first.payload != second.payload


def people(row: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(row.people)
    return found


def test_who_wrote_it_and_whose_task_it_is() -> None:
    """Covers A1.41: people by their logins, programs marked as such."""
    row = made("issues", {"user": {"login": "Ada"}, "assignees": [{"login": "grace"}]})
    assert people(row) == [
        {"role": "author", "kind": "github", "value": "ada"},
        {"role": "assignee", "kind": "github", "value": "grace"},
    ]
    for user in ({"login": "x", "type": "Bot"}, {"login": "dependabot[bot]"}):
        row = made("comments", {"user": user, "body": "Bump"})
        assert row.automated == people(row)[0]["automated"] == "bot"


@pytest.mark.parametrize(
    ("author", "email", "found"),
    [
        ({"login": "Ada"}, "Ada@X.example", [("github", "ada"), ("email", "ada@x.example")]),
        (None, "ada@x.example", [("email", "ada@x.example")]),
        (None, "7+ada@users.noreply.github.com", [("github", "ada")]),
        ({"login": "ada"}, "7+ada@users.noreply.github.com", [("github", "ada")]),
        (None, None, []),
    ],
)
def test_who_wrote_a_commit(author: Any, email: str | None, found: list[tuple[str, str]]) -> None:
    """Covers A1.41: by the address as well, unless it is one that GitHub has made."""
    signature = {"name": "Ada L", "email": email}
    row = made("commits", {"author": author, "commit": {"message": "Fix", "author": signature}})
    assert [(one["kind"], one["value"]) for one in people(row)] == found
    assert {one["name"] for one in people(row)} <= {"Ada L"}


def test_what_an_answer_quotes_is_not_its_own() -> None:
    body = "> Does it work?\n\nIt does."
    answer, issue = made("comments", {"body": body}), made("issues", {"body": body})
    assert (answer.unquoted, issue.unquoted) == ("It does.", None)
    assert answer.text_hash not in (None, issue.text_hash)
    assert made("notifications", {"subject": {"title": "Broken"}}).text_hash is None
