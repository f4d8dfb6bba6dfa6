"""What is read of a row of GitHub's, for a stage."""

from __future__ import annotations

from typing import Any

import msgspec


class User(msgspec.Struct):
    """Somebody by their login."""

    login: str = ""
    id: int = 0
    type: str | None = None


class Named(msgspec.Struct):
    """A label, as rows of some kinds have it."""

    name: str | None = None


class Signature(msgspec.Struct):
    """Who wrote a commit, as git has it."""

    name: str | None = None
    email: str | None = None


class Commit(msgspec.Struct):
    """A commit as git has it."""

    message: str = ""
    author: Signature | None = None


class Subject(msgspec.Struct):
    """What a notification is about."""

    title: str | None = None
    url: str | None = None


class Repository(msgspec.Struct):
    """A repository by its number: names change."""

    id: int = 0


class Payload(msgspec.Struct):
    """What is read of a row, whichever kind it is of."""

    user: User | None = None
    author: User | None = None
    title: str | None = None
    body: str | None = None
    labels: list[Named | str] = []
    assignees: list[User] | None = None
    number: int | None = None
    pull_request: Any = None
    issue_url: str | None = None
    pull_request_url: str | None = None
    state: str | None = None
    commit: Commit | None = None
    tag_name: str | None = None
    name: str | None = None
    draft: bool = False
    prerelease: bool = False
    reason: str | None = None
    unread: bool = False
    subject: Subject | None = None
    repository: Repository | None = None
