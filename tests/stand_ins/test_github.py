"""GitHub at emulate: everything there, then what changes there."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.stand_ins import github
from tests.stand_ins.account import Account, consent
from tests.stand_ins.deviations import deviations
from tests.stand_ins.emulate import Emulate
from tests.stand_ins.github import ADA, ANYBODY, BACK

from headrace.oauth.connect import Wish
from headrace.store.database import Database

ENGINE = f"/repos/{ADA}/engine"
ISSUES = 120
NOT_THERE = {f"{ENGINE}/issues/comments", f"{ENGINE}/pulls/comments", "/notifications"}
"""The lists of comments it takes for an issue and a pull request of that number."""

WRONG = {
    # GitHub's times are to the second.
    "users.get 200.created_at has another form",
    "users.get 200.updated_at has another form",
    "repos.list 200[].created_at has another form",
    "repos.list 200[].pushed_at has another form",
    "repos.list 200[].updated_at has another form",
    "repos.get 200.created_at has another form",
    "repos.get 200.pushed_at has another form",
    "repos.get 200.updated_at has another form",
    "repos.get 200.network_count is missing",
    "repos.get 200.subscribers_count is missing",
    "issues.list 200[].created_at has another form",
    "issues.list 200[].updated_at has another form",
    "issues.list 200[].closed_at has another form",
    "commits.list 200[].commit.author.date has another form",
    "commits.list 200[].commit.committer.date has another form",
    *(
        f"commits.compare 200.{commit}.commit.{who}.date has another form"
        for commit in ("commits[]", "base_commit", "merge_base_commit")
        for who in ("author", "committer")
    ),
    "releases.list 200[].created_at has another form",
    "releases.list 200[].published_at has another form",
}


class Owner:
    """What the owner of the repository does there."""

    def __init__(self, emulate: Emulate) -> None:
        self.emulate = emulate

    async def __call__(self, method: str, path: str, **body: Any) -> Any:
        return await self.emulate.ask(method, ENGINE + path, body or None, token=ANYBODY)

    async def issue(self, number: int) -> Any:
        return await self("POST", "/issues", title=f"Issue {number}", body=f"Größe {number}")

    async def commit(self, name: str, message: str, branch: str = "main") -> Any:
        content = b64encode(name.encode()).decode()
        return await self(
            "PUT", f"/contents/{name}", message=message, content=content, branch=branch
        )


@asynccontextmanager
async def repository(pool: Database, **config: Any) -> AsyncIterator[tuple[Owner, Account]]:
    async with Emulate(github.fill).running("github", github.seed()) as emulate:
        settings = github.settings(emulate.url)
        owner = Owner(emulate)
        wish = Wish("github", config={"requests_per_minute": 1_000_000, **config})
        [row] = await consent(pool, settings, emulate, [wish], owner=ADA, back=BACK)
        yield owner, Account(pool, settings, row, "normalize_github")


async def test_all_is_there_as_it_was_written(pool: Database) -> None:
    """Covers A0.1: by a consent of emulate's own, page by page, many rows in one second."""
    async with repository(pool) as (owner, account):
        for number in range(1, ISSUES + 1):
            await owner.issue(number)
        await owner("PATCH", "/issues/3", labels=["bug"])
        release = await owner("POST", "/releases", tag_name="v1", name="First", body="Enjoy")
        made = (await owner.commit("wheel.txt", "Add a wheel\n\nIt is round."))["commit"]
        await account.sync()
        rows = {row["source_id"]: row for row in (await account.of("interactions")).values()}
        issues = {row["thread_id"]: row for row in rows.values() if row["kind"] == "issue"}
        assert len(issues) == ISSUES
        for number in range(1, ISSUES + 1):
            row = issues[f"1#{number}"]
            assert row["subject"] == f"Issue {number}"
            assert row["body"] == f"Größe {number}"
            assert row["from_name"] == ADA
            assert row["labels"] == (["bug"] if number == 3 else [])
        assert rows[release["node_id"]]["subject"] == "First"
        assert rows[release["node_id"]]["body"] == "Enjoy"
        assert rows[made["sha"]]["subject"] == "Add a wheel"
        assert len(rows) == ISSUES + 3  # and the commit that it began with
        assert [one.path for one in owner.emulate.said].count(f"{ENGINE}/issues") > 1


async def test_what_changes_there_changes_here(pool: Database) -> None:
    """Covers H10: an issue is closed, another one opened, a branch grows beside the first
    one, and a release is deleted. Nothing else is landed again."""
    async with repository(pool) as (owner, account):
        first, _ = [await owner.issue(number) for number in (1, 2)]
        release = await owner("POST", "/releases", tag_name="v1", name="First")
        await account.sync()
        landed = await account.landed()
        await account.sync()
        assert await account.landed() == landed
        await owner("PATCH", "/issues/1", state="closed", title="Done")
        third = await owner.issue(3)
        head = (await owner("GET", "/branches/main"))["commit"]["sha"]
        await owner("POST", "/git/refs", ref="refs/heads/side", sha=head)
        commit = (await owner.commit("side.txt", "Beside", branch="side"))["commit"]
        await owner("DELETE", f"/releases/{release['id']}")
        await account.sync()
        payloads, rows = await account.payloads(), await account.of("interactions")
        assert payloads[first["node_id"]]["state"] == "closed"
        assert rows[first["node_id"]]["subject"] == "Done"
        assert rows[third["node_id"]]["subject"] == "Issue 3"
        assert rows[commit["sha"]]["subject"] == "Beside"
        assert release["node_id"] not in rows
        assert await account.landed() == landed + 4


async def test_a_renamed_repository(pool: Database) -> None:
    """Covers H8: it is followed by its number, and its streams stay what they were."""
    async with repository(pool) as (owner, account):
        await owner.issue(1)
        await account.sync()
        await owner("PATCH", "", name="machine")
        await owner.emulate.ask("POST", f"/repos/{ADA}/machine/issues", {"title": "2"}, token=ADA)
        await account.sync()
        rows = (await account.of("interactions")).values()
        assert {row["thread_id"] for row in rows if row["kind"] == "issue"} == {"1#1", "1#2"}
        assert {row["stream"].partition("/")[0] for row in rows} == {"1"}


async def test_where_emulate_is_not_github(pool: Database) -> None:
    """What its answers have that GitHub's do not, and what is not there."""
    async with repository(pool) as (owner, account):
        await owner.issue(1)
        await owner("PATCH", "/issues/1", state="closed")
        await owner("POST", "/releases", tag_name="v1")
        head = (await owner("GET", "/branches/main"))["commit"]["sha"]
        await owner("POST", "/git/refs", ref="refs/heads/side", sha=head)
        await owner.commit("side.txt", "Beside", branch="side")
        await owner("POST", "/pulls", title="A pull request", head="side", base="main")
        await account.sync()
        rows = (await account.of("interactions")).values()
        assert "pull_request" not in {row["kind"] for row in rows}, "it lists them as issues now"
        said = owner.emulate.said
        assert deviations(said) == WRONG
        assert {one.path for one in said if one.status >= 400} == NOT_THERE
        assert not any(one.status == 304 for one in said)
