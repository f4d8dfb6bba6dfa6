"""What a connection of GitHub is configured with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from headrace.github.records import RECENT

Kind = Literal[
    "issues", "comments", "review_comments", "reviews", "commits", "releases", "notifications"
]
KINDS: list[Kind] = [*RECENT, "commits", "releases", "notifications"]  # type: ignore[list-item]
"""In the order in which they are walked."""

_Name = Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]


class GitHubConfig(BaseModel):
    """Which repositories, and what of them. Quotas are GitHub's of November 2026."""

    model_config = ConfigDict(extra="forbid")

    repositories: list[_Name] = Field(
        default=[], description="As owner/name. None: all that the account has."
    )
    kinds: list[Kind] = Field(
        default=KINDS,
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
