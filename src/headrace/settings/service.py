"""The settings of the service itself: its database, its address, its folder, its doors."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings


def _default_home() -> Path:
    # PostgreSQL refuses to run as root, and the account it runs under cannot enter /root.
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/headrace")
    return Path(platformdirs.user_data_dir("headrace"))


class Service(BaseSettings):
    """What a process is reached by, where it keeps things, and what it lets callers do."""

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
    headrace_metrics_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="A key that opens `/metrics` and nothing else. A key of the installation's own"
        " opens it as well.",
    )
    headrace_metrics_open: bool = Field(
        False,
        description="Whether programs on this machine read `/metrics` without a key.",
    )
    headrace_metrics_connections: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Of how many connections, the first that were made, `/metrics` tells each one's"
        " freshness, by its id.",
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

    @field_validator("headrace_public_url")
    @classmethod
    def _is_an_address(cls, text: str | None) -> str | None:
        parts = urlsplit(text or "http://unset")  # what it raises is a ValueError
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError("it has to be an address such as https://headrace.example.com")
        return text

    @cached_property
    def postgres_folder(self) -> Path:
        """Where the embedded PostgreSQL keeps its data."""
        return self.headrace_home / "postgres"

    @cached_property
    def document_roots(self) -> tuple[Path, ...]:
        """The folders of HEADRACE_DOCUMENT_ROOTS."""
        named = self.headrace_document_roots.split(os.pathsep)
        return tuple(Path(one).expanduser() for one in named if one.strip())
