"""One frozen settings object, read from the environment once, wrong values refused at start."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Literal

import platformdirs
from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from headrace.errors import BadInput
from headrace.keeping import Keeping

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


def _default_home() -> Path:
    # PostgreSQL refuses to run as root, and the account it runs under cannot enter /root.
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/headrace")
    return Path(platformdirs.user_data_dir("headrace"))


class Settings(Keeping):
    """Every setting Headrace reads; each field's description is its documentation."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    database_url: str | None = Field(
        None, description="PostgreSQL to use. Unset: an embedded one in the data folder."
    )
    dbos_database_url: str | None = Field(
        None,
        description="Where the DBOS of callers keeps its tables: their workflows are told when a"
        " job is over. Unset: the same database.",
    )
    service_host: str = Field(
        "127.0.0.1", description="Address the API binds. 0.0.0.0 opens it to the network."
    )
    service_port: int = Field(8000, ge=0, le=65535, description="Port the API binds.")
    headrace_public_url: str | None = Field(
        None,
        description="Where browsers reach the API, for issuers to send them back to. Unset: the"
        " address that it was called by.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest level that is logged."
    )
    headrace_home: Path = Field(
        default_factory=_default_home, description="Folder for everything kept on this machine."
    )
    headrace_secret_key: SecretStr | None = Field(
        None,
        description="Key that seals credentials. Unset: made once, kept in the data folder.",
    )
    headrace_api_key: SecretStr | None = Field(
        None, description="First API key. Unset: one is made and printed once by `headrace up`."
    )
    headrace_workers: int = Field(
        4, ge=1, le=256, description="Jobs one worker process runs at the same time."
    )
    headrace_run_minutes: float = Field(
        10, gt=0, description="Wall time after which a run stops and the next one goes on."
    )
    headrace_extract_contacts: Literal["auto", "manual"] = Field(
        "auto",
        description="Whether contacts are extracted as messages arrive, or only when somebody asks"
        " for it: `headrace contacts extract`.",
    )
    headrace_private_hosts: bool = Field(
        False,
        description="Whether sources named by API callers may be on private or local addresses.",
    )
    headrace_document_roots: str = Field(
        "",
        description="Folders that API callers may name in a job, separated like PATH. Empty: none.",
    )
    headrace_upload_quota: int = Field(
        10 * 1024**3,
        ge=0,
        description="Bytes that all uploads of one tenant may have together; they are kept in the"
        " database.",
    )
    headrace_embedding_url: str | None = Field(
        None, description="OpenAI-compatible endpoint for embeddings; the key goes nowhere else."
    )
    headrace_embedding_key: SecretStr | None = Field(
        None, description="Key for HEADRACE_EMBEDDING_URL."
    )
    memory_engine_url: str | None = Field(
        None,
        description="Memory engine that messages and meetings are sent to. Unset: Headrace's own"
        " search is the memory.",
    )
    memory_engine_key: SecretStr | None = Field(None, description="Key for MEMORY_ENGINE_URL.")
    memory_engine_shape: str = Field(
        "headrace",
        description="How that engine wants to be told: headrace, mem0, graphiti, letta, honcho,"
        " zep, supermemory, or a YAML file of your own.",
    )
    memory_engine_space: str = Field(
        "{tenant}:{user}",
        description="What that engine calls the owner of memories; for Letta, an agent's id.",
    )
    memory_engine_from: Literal["people", "all"] = Field(
        "people", description="Whether what programs and lists send is remembered as well."
    )
    headrace_embed_interactions: Literal["people", "all", "none"] = Field(
        "people",
        description="Which messages are found by meaning: what people write, all but drafts and"
        " spam, or none. Automated mail is found by its words in any case.",
    )
    headrace_recent_hours: int = Field(
        24,
        ge=1,
        le=720,
        description="What `/api/interactions/recent` counts: the last so many hours.",
    )
    headrace_insights: str = Field(
        "",
        description="Kinds of insights that are made by themselves, with commas between them, or"
        " `all`: when something new was brought in, the weekly digest on Mondays. Empty: none.",
    )
    headrace_llm_url: str | None = Field(
        None,
        description="OpenAI-compatible endpoint that writes insights, to which what people wrote is"
        " sent: http://127.0.0.1:8080/v1. Unset: rules make them, and nothing is sent anywhere.",
    )
    headrace_llm_model: str | None = Field(None, description="Model to ask there.")
    headrace_llm_key: SecretStr | None = Field(None, description="Key for HEADRACE_LLM_URL.")
    headrace_llm_budget: int = Field(
        200_000,
        ge=0,
        description="Tokens that a tenant may use there on a day (UTC). Over it, rules do.",
    )
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
    api_base_url: str | None = Field(
        None, description="One REST source from the environment alone: its base URL."
    )
    api_key: SecretStr | None = Field(None, description="Key for API_BASE_URL, sent as X-API-Key.")
    batch_size: int = Field(100, ge=1, le=100_000, description="Records per fetch.")
    rate_limit_delay_ms: int = Field(
        0, ge=0, description="Least pause between requests to a REST source, in milliseconds."
    )

    @cached_property
    def postgres_folder(self) -> Path:
        """Where the embedded PostgreSQL keeps its data."""
        return self.headrace_home / "postgres"

    @cached_property
    def document_roots(self) -> tuple[Path, ...]:
        """The folders of HEADRACE_DOCUMENT_ROOTS."""
        named = self.headrace_document_roots.split(os.pathsep)
        return tuple(Path(one).expanduser() for one in named if one.strip())

    def insight_kinds(self, known: Iterable[str]) -> list[str]:
        """The kinds that HEADRACE_INSIGHTS names, of those that are known. Raises BadInput."""
        named = [one for part in self.headrace_insights.split(",") if (one := part.strip())]
        known = sorted(known)
        if named == ["all"]:
            return known
        for one in named:
            if one not in known:
                near = difflib.get_close_matches(one, known, n=1)
                raise BadInput(
                    f"HEADRACE_INSIGHTS names {one!r}, which is no kind of insight.",
                    hint=f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}.",
                )
        return sorted(set(named))

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


def load(**overrides: object) -> Settings:
    """Read the settings. Raises BadInput naming the variable, what is wrong and a near name."""
    known = {name.upper() for name in Settings.model_fields}
    for name in (*os.environ, *(one.upper() for one in dotenv_values(".env"))):
        if name.startswith("HEADRACE_CRASH"):
            continue  # the crash suite's own: see headrace.crashpoints
        if name.startswith("HEADRACE_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else "See docs/reference/settings.md."
            raise BadInput(f"There is no setting {name}.", hint=hint)
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        raise BadInput(
            f"The setting {name} cannot be used: {first['msg']}.",
            hint="See docs/reference/settings.md.",
        ) from None
    return settings
