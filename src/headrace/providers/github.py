"""GitHub: issues, pull requests, what is said to them, commits, releases and notifications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from headrace import telemetry
from headrace.account import Account
from headrace.errors import NeedsHuman, Retry
from headrace.github.app import Installation
from headrace.github.commits import commits
from headrace.github.lists import Gone, Lists, Params, Raws
from headrace.github.recent import recent
from headrace.github.records import CONTENT, RECENT
from headrace.github.times import Walk
from headrace.github.whole import notifications, releases
from headrace.http import Answer, Bearer, Client, Policy
from headrace.provider import JSON, Owner, Page, StreamPlan

Kind = Literal[
    "issues", "comments", "review_comments", "reviews", "commits", "releases", "notifications"
]
_KINDS: list[Kind] = [*RECENT, "commits", "releases", "notifications"]  # type: ignore[list-item]

_NOT_HERE = frozenset({304, 403, 404, 410, 451})
_NONE: Params = {}
_Name = Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]


class GitHubConfig(BaseModel):
    """Which repositories, and what of them. Quotas are GitHub's of November 2026."""

    model_config = ConfigDict(extra="forbid")

    repositories: list[_Name] = Field(
        default=[], description="As owner/name. None: all that the account has."
    )
    kinds: list[Kind] = Field(
        default=_KINDS,
        description="What to read. Pull requests are among the issues; notifications are the"
        " account's, whatever repositories are named. Reviews cost a request for each pull"
        " request that changed.",
    )
    days: int | None = Field(
        default=None, ge=1, description="Leave out what is older than this at the first run."
    )
    sweep_days: float = Field(
        default=7,
        gt=0,
        description="How often lists are read from their start, to see what is gone.",
    )
    items_per_run: int | None = Field(default=None, ge=1, description="Records a run may fetch.")
    requests_per_minute: int = Field(
        default=900, ge=1, description="Requests a minute; GitHub bears 900 of an account."
    )
    app_id: int | None = Field(default=None, description="A GitHub App; the secret is its key.")
    installation_id: int | None = Field(default=None, description="The App's installation.")

    @model_validator(mode="after")
    def _check(self) -> GitHubConfig:
        if (self.app_id is None) != (self.installation_id is None):
            raise ValueError("app_id and installation_id go together")
        return self


class _User(msgspec.Struct):
    id: int
    login: str
    email: str | None = None


class _Repository(msgspec.Struct):
    id: int
    full_name: str


class _Repositories(msgspec.Struct):
    rows: Raws = msgspec.field(name="repositories")


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
    Config: ClassVar[type[BaseModel]] = GitHubConfig
    # One at a time, as GitHub asks of everybody: that is what keeps the secondary limit away (H5).
    policy: ClassVar[Policy] = Policy(timeout=30.0, redirects=3, at_once=1)
    headers: ClassVar[dict[str, str]] = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }

    config: GitHubConfig

    def __init__(self, config: GitHubConfig, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self.items_per_run = config.items_per_run
        self.units_per_minute = config.requests_per_minute
        self._installation: Installation | None = None
        self._lists = Lists(self._ask, lambda: self.bearer()(None))

    async def streams(self) -> Sequence[StreamPlan]:
        """A stream for each kind of each repository. Raises NeedsHuman where none can be read."""
        kinds = [one for one in _KINDS if one in self.config.kinds and one != "notifications"]
        found = await self._repositories()
        plans = [
            StreamPlan(f"{repository.id}/{kind}", CONTENT) for repository in found for kind in kinds
        ]
        # An installation is nobody, whom nobody notifies.
        if "notifications" in self.config.kinds and self.config.app_id is None:
            plans.append(StreamPlan("notifications", CONTENT))
        return plans

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:  # noqa: ARG002
        """The next page of a stream. One that is not there for this account any more is at its end:
        what was landed of it stays, and the others go on. Raises Retry and NeedsHuman."""
        walk = Walk(self.clock.wall(), self.config.sweep_days, self.config.days)
        try:
            return await self._page(stream, cursor, walk)
        except Gone as gone:
            return Page((), cursor, more=False, notes={"gone": gone.message})

    async def _page(self, stream: str, cursor: JSON, walk: Walk) -> Page:
        if stream == "notifications":
            return await notifications(self._lists, cursor, walk)
        number, _, kind = stream.partition("/")
        home = f"repositories/{number}"
        if kind == "commits":
            return await commits(self._lists, home, cursor, walk)
        if kind == "releases":
            return await releases(self._lists, home, cursor)
        return await recent(self._lists, home, kind, RECENT[kind], cursor, walk)

    async def owner(self) -> Owner:
        """Whose account it is; addresses are those that GitHub shows of it."""
        app = self._app()
        if app is not None:
            return Owner(await app.account())
        user = (await self._ask("user", _User))[0]
        login = user.login.lower()
        hidden = "users.noreply.github.com"
        addresses = [f"{login}@{hidden}", f"{user.id}+{login}@{hidden}"]
        return Owner(user.login, (*([user.email.lower()] if user.email else []), *addresses))

    def bearer(self) -> Bearer:
        """What gives the token: the installation of an App, or as for any account."""
        app = self._app()
        return super().bearer() if app is None else app.token

    def refusal(self, path: str, answer: Answer) -> Any:  # noqa: ARG002
        """None for a 304, which was asked for. Raises Gone for what this account may not read."""
        if answer.status == 304:
            return None
        error = self.api().error(answer)
        if isinstance(error, Retry):
            raise error
        raise Gone(error.message, hint=error.hint, status=answer.status)

    async def aclose(self) -> None:
        """Close the connections to the API."""
        await super().aclose()
        if self._installation is not None:
            await self._installation.aclose()
            self._installation = None

    async def _repositories(self) -> list[_Repository]:
        if not self.config.repositories:
            return await self._all()
        found, gone = [], None
        for name in self.config.repositories:
            try:
                found.append((await self._ask(f"repos/{name}", _Repository))[0])
            except Gone as error:
                telemetry.note(self.name, name, {"gone": error.message})
                gone = error
        if gone is not None and not found:
            raise NeedsHuman(
                "None of the repositories can be read.", hint=f"GitHub says: {gone.message}"
            )
        return list({one.id: one for one in found}.values())

    async def _all(self) -> list[_Repository]:
        if self._app() is None:
            rows = await self._lists.whole("user/repos")
        else:
            rows = await self._lists.whole("installation/repositories", shape=_Repositories)
        return [msgspec.json.decode(row, type=_Repository) for row in rows]

    async def _ask(
        self, path: str, shape: Any, headers: Params = _NONE, params: Params = _NONE
    ) -> tuple[Any, Answer]:
        # A 304 that nobody asked for is an error to the client, and no empty list (rule H7).
        allow = _NOT_HERE if headers else _NOT_HERE - {304}
        return await self.answer(
            path, units=1, allow=allow, headers=headers, shape=shape, params=params
        )

    def _app(self) -> Installation | None:
        config = self.config
        if config.app_id is None or config.installation_id is None:
            return None
        if self._installation is None:
            policy = msgspec.structs.replace(self.policy, private_hosts=self.private_hosts)
            client = Client(self.base_url, headers=self.headers, policy=policy, clock=self.clock)
            self._installation = Installation(
                client, config.app_id, config.installation_id, self.secret or ""
            )
        return self._installation
