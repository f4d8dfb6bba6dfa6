"""The settings of accounts: OAuth clients, issuers, APIs, and another application's accounts."""

from __future__ import annotations

import json
from functools import cached_property

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

BETTER_AUTH_COLUMNS = (
    "id",
    "accountId",
    "providerId",
    "userId",
    "accessToken",
    "refreshToken",
    "accessTokenExpiresAt",
    "scope",
    "updatedAt",
)
"""What Headrace reads of Better Auth's table, by Better Auth's own names."""


class Accounts(BaseSettings):
    """Where accounts are connected, and where their data is."""

    google_client_id: str | None = Field(
        None, description="OAuth client at Google, for connecting accounts."
    )
    google_client_secret: SecretStr | None = Field(None, description="Its secret.")
    github_client_id: str | None = Field(
        None, description="OAuth client at GitHub, for connecting accounts."
    )
    github_client_secret: SecretStr | None = Field(None, description="Its secret.")
    google_auth_url: str = Field(
        "https://accounts.google.com/o/oauth2/v2/auth", description="Where Google asks people."
    )
    google_token_url: str = Field(
        "https://oauth2.googleapis.com/token", description="Where Google gives tokens."
    )
    google_device_url: str = Field(
        "https://oauth2.googleapis.com/device/code",
        description="Where Google gives codes to type on another device.",
    )
    github_auth_url: str = Field(
        "https://github.com/login/oauth/authorize", description="Where GitHub asks people."
    )
    github_token_url: str = Field(
        "https://github.com/login/oauth/access_token", description="Where GitHub gives tokens."
    )
    github_device_url: str = Field(
        "https://github.com/login/device/code",
        description="Where GitHub gives codes to type on another device.",
    )
    gmail_base_url: str = Field("https://gmail.googleapis.com", description="Gmail's API.")
    google_calendar_base_url: str = Field(
        "https://www.googleapis.com", description="Google Calendar's API."
    )
    github_base_url: str = Field("https://api.github.com", description="GitHub's API.")
    headrace_better_auth: bool = Field(
        False,
        description="Whether users of an application bring their accounts along that have signed in"
        " there with Better Auth. BETTER_AUTH_DATABASE_URL switches it on as well.",
    )
    better_auth_database_url: str | None = Field(
        None, description="PostgreSQL where Better Auth keeps accounts. Unset: the same database."
    )
    better_auth_table: str = Field(
        "account",
        min_length=1,
        description="Its table of accounts; a schema may stand in front: auth.account.",
    )
    better_auth_columns: str = Field(
        "",
        description="Columns that the application has renamed, as JSON:"
        ' {"userId": "user_id"}. Empty: none.',
    )
    better_auth_secret: SecretStr | None = Field(
        None,
        description="The application's secret, for tokens that Better Auth has encrypted.",
    )
    better_auth_secrets: SecretStr | None = Field(
        None, description="The same with versions, as the application has it: 2:newer,1:older."
    )
    better_auth_tenant: str = Field(
        "default", min_length=1, description="Tenant that the application's users belong to."
    )

    @property
    def better_auth(self) -> bool:
        """Whether accounts are taken from Better Auth's table."""
        return self.headrace_better_auth or self.better_auth_database_url is not None

    @field_validator("better_auth_columns")
    @classmethod
    def _names_columns(cls, text: str) -> str:
        names = json.loads(text or "{}")  # what it raises is a ValueError
        if not isinstance(names, dict) or not all(isinstance(one, str) for one in names.values()):
            raise ValueError("it has to be an object of texts")
        if unknown := sorted(set(names) - set(BETTER_AUTH_COLUMNS)):
            known = ", ".join(BETTER_AUTH_COLUMNS)
            raise ValueError(f"Headrace reads no column {unknown[0]!r}; it reads {known}")
        return text

    @cached_property
    def better_auth_names(self) -> dict[str, str]:
        """What the columns that Headrace reads are called there."""
        renamed: dict[str, str] = json.loads(self.better_auth_columns or "{}")
        return {one: renamed.get(one, one) for one in BETTER_AUTH_COLUMNS}
