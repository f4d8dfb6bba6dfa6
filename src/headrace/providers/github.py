"""GitHub: issues, pull requests, what is said to them, commits, releases and notifications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from headrace.account import Account
from headrace.errors import Retry
from headrace.github import repositories
from headrace.github.app import Installation
from headrace.github.config import GitHubConfig
from headrace.github.lists import Gone, Lists, Params
from headrace.github.records import CONTENT
from headrace.github.streams import page_of_stream, streams_of
from headrace.github.times import Walk
from headrace.github.whole import NOTIFICATIONS
from headrace.http import Answer, Bearer, Policy
from headrace.provider import JSON, Owner, Page, StreamPlan

_NOT_HERE = frozenset({304, 403, 404, 410, 451})


class GitHub(Account):
    """One account, by consent, by a token of its own, or as an installation of an App.

    A stream is `<number of the repository>/<kind>`: the number stays when the repository is renamed
    or moves (rule H8), and its name of the moment is in the log and in every payload.
    """

    name: ClassVar[str] = "github"
    kind: ClassVar[str] = "github_sync"
    aliases: ClassVar[tuple[str, ...]] = ("github:fetch",)
    issuer: ClassVar[str | None] = "github"
    # GitHub has no smaller scope that reads private repositories.
    scopes: ClassVar[tuple[str, ...]] = ("repo", "notifications")
    # One at a time, as GitHub asks of everybody: that is what keeps the secondary limit away (H5).
    policy: ClassVar[Policy] = Policy(timeout=30.0, redirects=3, at_once=1)
    headers: ClassVar[dict[str, str]] = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    Config: ClassVar[type[BaseModel]] = GitHubConfig
    config: GitHubConfig

    def __init__(self, config: GitHubConfig, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self.items_per_run = config.items_per_run
        self.units_per_minute = config.requests_per_minute
        self._installation: Installation | None = None
        self._lists = Lists(self._ask, lambda: self.bearer()(None))

    async def streams(self) -> Sequence[StreamPlan]:
        """A stream for each kind of each repository. Raises NeedsHuman where none can be read."""
        wanted = self.config
        if wanted.repositories:
            found = await repositories.named(self._ask, wanted.repositories)
        else:
            found = await repositories.owned(self._lists, installed=wanted.app_id is not None)
        # An installation is nobody, whom nobody notifies.
        kinds = {*wanted.kinds} - ({NOTIFICATIONS} if wanted.app_id is not None else set())
        return [StreamPlan(name, CONTENT) for name in streams_of(found, kinds)]

    async def owner(self) -> Owner:
        """Whose account it is."""
        app = self._app()
        return await repositories.user(self._ask) if app is None else Owner(await app.account())

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:  # noqa: ARG002
        """The next page of a stream. Raises Retry and NeedsHuman."""
        walk = Walk(self.clock.wall(), self.config.sweep_days, self.config.days)
        return await page_of_stream(self._lists, stream, cursor, walk)

    async def _ask(
        self, path: str, shape: Any, headers: Params, params: Params
    ) -> tuple[Any, Answer]:
        # A 304 that nobody asked for is an error to the client, and no empty list (rule H7).
        allow = _NOT_HERE if headers else _NOT_HERE - {304}
        return await self.answer(
            path, units=1, allow=allow, headers=headers, shape=shape, params=params
        )

    def refusal(self, path: str, answer: Answer) -> None:  # noqa: ARG002 - all paths alike
        """None for a 304, which was asked for. Raises Gone for what this account may not read."""
        if answer.status == 304:
            return
        error = self.api().error(answer)
        if isinstance(error, Retry):
            raise error
        raise Gone(error.message, hint=error.hint, status=answer.status)

    def bearer(self) -> Bearer:
        """What gives the token: the installation of an App, or as for any account."""
        app = self._app()
        return super().bearer() if app is None else app.token

    def _app(self) -> Installation | None:
        app, number = self.config.app_id, self.config.installation_id
        if app is None or number is None:
            return None
        if self._installation is None:
            self._installation = Installation(self.client(), app, number, self.secret or "")
        return self._installation

    async def aclose(self) -> None:
        """Close the connections to the API."""
        await super().aclose()
        if self._installation is not None:
            await self._installation.aclose()
            self._installation = None
