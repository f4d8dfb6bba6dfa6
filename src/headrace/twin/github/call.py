"""One call of the API as its handler sees it, and the reply it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from headrace.twin.github.clock import read_instant
from headrace.twin.github.options import Options
from headrace.twin.github.problem import unprocessable
from headrace.twin.github.quota import Quota
from headrace.twin.github.render.people import Site
from headrace.twin.github.rows import Repository
from headrace.twin.github.tokens import Caller, Tokens
from headrace.twin.github.world import World
from headrace.twin.message import Request


@dataclass(slots=True)
class Reply:
    """What a handler answers. `modified_s`: when that last changed, where GitHub says so."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    modified_s: int | None = None


@dataclass(slots=True)
class Call:
    """A request that has been let in, and everything it may need.

    `path` is the one that links to other pages have: it names a repository by its number.
    """

    name: str
    request: Request
    path: str
    parts: dict[str, str]
    caller: Caller
    site: Site
    world: World
    options: Options
    tokens: Tokens
    quota: Quota
    graphql: list[Any]
    repository: Repository | None = None

    @property
    def within(self) -> Repository:
        """The repository that the path names."""
        assert self.repository is not None
        return self.repository

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """A parameter that has few values, the first unless `default`. Raises Problem (422)."""
        value = self.request.query.get(name, default or choices[0])
        if value not in choices:
            raise unprocessable(name, f"is none of {', '.join(choices)}")
        return value

    def instant(self, name: str) -> int | None:
        """A parameter that is a time, in Unix seconds. Raises Problem (422)."""
        text = self.request.query.get(name)
        return None if text is None else read_instant(name, text)
