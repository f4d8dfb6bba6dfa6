"""The twin's answers have the shapes of GitHub's own OpenAPI description."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.twin.github.checker import description, problems, problems_of_answer
from tests.twin.github.trim import PATHS, trim
from tests.twin.github.twin import Start

from headrace.twin.github.routes import OF_EVERYTHING, OF_REPOSITORY

ONE = "/repos/ada/repo-1"


async def test_every_answer_is_as_github_describes_it(start: Start) -> None:
    """Each call once; that the answers fit is asserted for every answer in this folder."""
    twin = await start(issues=60)
    made = await twin.change(
        {"do": "open_issue", "repo": "ada/repo-1"},
        {"do": "comment", "repo": "ada/repo-1", "number": 61},
        {"do": "close", "repo": "ada/repo-1", "number": 61},
        {"do": "open_pull", "repo": "ada/repo-1"},
        {"do": "review", "repo": "ada/repo-1", "number": 62, "comments": ["Why?"]},
        {"do": "notify", "repo": "ada/repo-1", "number": 62},
        {"do": "merge", "repo": "ada/repo-1", "number": 62},
        {"do": "push", "repo": "ada/repo-1"},
        {"do": "release", "repo": "ada/repo-1", "tag": "v9"},
    )
    assert made[3]["number"] == 62
    commits = (await twin.get(f"{ONE}/commits")).body
    paths = ["/user", "/user/repos", "/orgs/octo/repos", "/notifications?all=true", "/rate_limit"]
    paths += [ONE + rest for rest in (
        "", "/issues?state=all", "/issues/61", "/issues/62", "/issues/comments",
        "/issues/61/comments", "/pulls?state=all", "/pulls/62", "/pulls/comments",
        "/pulls/62/reviews", "/commits/main", f"/compare/{commits[5]['sha']}...main",
        "/branches", "/git/ref/heads/main", "/releases", "/events?per_page=100",
    )]  # fmt: skip
    for path in paths:
        got = await twin.get(path)
        assert got.status == 200, path
        assert got.body, path
    kinds = {event["type"] for event in (await twin.get(f"{ONE}/events?per_page=100")).body}
    assert kinds == {
        "IssuesEvent",
        "IssueCommentEvent",
        "PullRequestEvent",
        "PullRequestReviewEvent",
        "PushEvent",
        "ReleaseEvent",
    }
    apps = {"apps.installations", "apps.token", "installation.repositories"}  # see test_app.py
    assert {name for name, status in twin.github.checked if status == 200} | apps == set(PATHS)


def test_every_call_is_in_the_description() -> None:
    names = {route.name for route in (*OF_REPOSITORY, *OF_EVERYTHING)}
    assert names - {"graphql"} == set(PATHS) == set(description()["operations"])


def test_the_parameters_we_read_are_those_that_github_names() -> None:
    issues = description()["operations"]["issues.list"]["parameters"]
    assert {"state", "sort", "direction", "since", "per_page", "page"} <= set(issues)
    assert issues["sort"]["enum"] == ["created", "updated", "comments"]


def test_the_checker_finds_what_is_wrong() -> None:
    """A check that accepts everything would make the others worthless."""
    good = {"name": "main", "commit": {"sha": "a", "url": "b"}, "protected": False}
    schema = {"$ref": "short-branch"}
    assert problems(schema, good) == []
    assert problems(schema, {**good, "protected": 0}) == [".protected is int, not boolean"]
    assert problems(schema, {**good, "naem": ""}) == [".naem is unknown"]
    assert problems(schema, {**good, "name": None}) == [".name is null"]
    assert problems(schema, {"commit": good["commit"]}) == [
        ".name is missing",
        ".protected is missing",
    ]
    late = {"type": "string", "format": "date-time"}
    assert problems(late, "2025-01-01T00:00:00.5Z") != []
    assert problems_of_answer("users.get", 201, {}) == ["users.get has no answer 201"]


def test_the_description_is_what_the_package_says() -> None:
    """Where the package is there: HEADRACE_GITHUB_OPENAPI names its api.github.com.json."""
    whole = os.environ.get("HEADRACE_GITHUB_OPENAPI")
    if not whole:
        pytest.skip("HEADRACE_GITHUB_OPENAPI names no file.")
    assert trim(json.loads(Path(whole).read_bytes())) == description()
