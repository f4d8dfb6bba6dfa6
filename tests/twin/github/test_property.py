"""Whatever happens at GitHub: walks by `since` and a sweep of the ids come to the truth."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.twin.github.twin import NOW_S

from headrace.twin.github import GitHub, Options, fingerprint
from headrace.twin.github.changes import (
    AnyChange,
    Close,
    DeleteComment,
    DeleteIssue,
    EditComment,
    EditIssue,
    OpenIssue,
    SayComment,
    TransferIssue,
)
from headrace.twin.github.render.people import Site
from headrace.twin.github.truth import truth
from headrace.twin.message import Request

LISTS = {"issues": "/issues", "comments": "/issues/comments"}
REPO = 1001

Steps = list[tuple[str, int, int]]
"""What happens, to which of the rows there are, and how many seconds later."""

_KINDS = ("open", "edit", "close", "comment", "edit_comment", "delete_comment", "delete", "move")
steps = st.lists(
    st.tuples(
        st.sampled_from((*_KINDS, "sync")),
        st.integers(0, 99),
        st.integers(min_value=0, max_value=1),
    ),
    max_size=40,
)


class Reader:
    """A client as rule H1 wants it: oldest first, from the last second seen, again and again."""

    def __init__(self, github: GitHub) -> None:
        self.github = github
        self.since = dict.fromkeys(LISTS, "2000-01-01T00:00:00Z")
        self.copy: dict[str, dict[str, Any]] = {kind: {} for kind in LISTS}

    def get(self, kind: str, **query: Any) -> list[dict[str, Any]]:
        headers = {"user-agent": "reader", "authorization": "token ghp_twin"}
        texts = {name: str(value) for name, value in query.items()}
        path = f"/repositories/{REPO}{LISTS[kind]}"
        asked = Request("GET", path, {"state": "all", **texts}, headers)
        answer = asyncio.run(self.github.handle(asked))
        assert answer.status == 200
        rows: list[dict[str, Any]] = msgspec.json.decode(b"".join(answer.parts))
        return rows

    def sync(self, between: list[tuple[str, int, int]]) -> None:
        """Walk each list to its end; before every page after the first something happens."""
        for kind in LISTS:
            size = 5
            while True:
                order = {"sort": "updated", "direction": "asc", "per_page": size}
                rows = self.get(kind, since=self.since[kind], **order)
                self.copy[kind] |= {row["node_id"]: row for row in rows}
                if len(rows) < size:
                    break
                # Too many rows in one second for a page: a larger page, not the next one.
                size = 5 if rows[-1]["updated_at"] > self.since[kind] else size * 2
                self.since[kind] = rows[-1]["updated_at"]
                if between:
                    happen(self.github, *between.pop())

    def sweep(self) -> None:
        """Forget what the lists no longer name."""
        for kind, copy in self.copy.items():
            named = set()
            for page in range(1, 20):
                named |= {row["node_id"] for row in self.get(kind, per_page=100, page=page)}
            self.copy[kind] = {name: row for name, row in copy.items() if name in named}


def happen(github: GitHub, what: str, which: int, later_s: int) -> None:
    """Let one thing happen, if there is anything for it to happen to."""
    github.clock.advance(later_s)
    row = github.world.repositories[REPO]
    issues = [one.number for one in row.issues.values() if not one.pull]
    comments = list(row.comments)
    number = issues[which % len(issues)] if issues else 0
    comment = comments[which % len(comments)] if comments else 0
    of_issue: dict[str, AnyChange] = {
        "edit": EditIssue(repo=REPO, number=number, title=f"edited {which}"),
        "close": Close(repo=REPO, number=number, reopen=bool(which % 2)),
        "comment": SayComment(repo=REPO, number=number),
        "delete": DeleteIssue(repo=REPO, number=number),
        "move": TransferIssue(repo=REPO, number=number, to="octo/repo-3"),
    }
    of_comment: dict[str, AnyChange] = {
        "edit_comment": EditComment(repo=REPO, comment=comment, body=f"edited {which}"),
        "delete_comment": DeleteComment(repo=REPO, comment=comment),
    }
    possible: dict[str, AnyChange] = {"open": OpenIssue(repo=REPO)}
    possible |= of_issue if issues else {}
    possible |= of_comment if comments else {}
    if what in possible:
        github.change(possible[what])


@settings(max_examples=40, deadline=None)
@given(steps, steps)
def test_since_walks_and_a_sweep_come_to_the_truth(apart: Steps, between: Steps) -> None:
    """Covers H1 H2 H8."""
    github = GitHub(Options(issues=20, frozen_s=NOW_S))
    reader = Reader(github)
    for step in apart:
        if step[0] == "sync":
            reader.sync(between)
        else:
            happen(github, *step)
    reader.sync([])
    reader.sweep()
    facts = truth(Site("", "octo"), github.world.repositories[REPO])
    for kind in LISTS:
        copy = {
            name: {"updated_at": row["updated_at"], "sha256": fingerprint(row)}
            for name, row in reader.copy[kind].items()
        }
        assert copy == facts[kind]
