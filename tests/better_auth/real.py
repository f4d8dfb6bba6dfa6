"""The real Better Auth in a node process."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.better_auth.application import HERE, Application
from tests.npm import installed

PACKAGES = ("better-auth@1.7.25", "pg@8")
_PATIENCE = 60.0


class Failed(Exception):
    """Better Auth's own words for what it could not do."""


class Real:
    """The application's process: what it is told to do, one thing after another."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def __call__(self, what: str, **more: Any) -> Any:
        """What came of it. Raises Failed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"what": what, **more}).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), _PATIENCE)
        assert line, "it has ended"
        said = json.loads(line)
        if "failed" in said:
            raise Failed(said["failed"])
        return said["done"]


@asynccontextmanager
async def better_auth(
    app: Application, url: str, *, encrypt: bool, secrets: list[dict[str, Any]] | None = None
) -> AsyncIterator[Real]:
    """Better Auth on the application's database, with its secret, at its twin."""
    folder = await asyncio.to_thread(installed, *PACKAGES)
    secret = app.settings.better_auth_secret
    client_secret = app.settings.google_client_secret
    assert secret
    assert client_secret
    setup = {
        "database": app.database.url,
        "google": url,
        "secret": secret.get_secret_value(),
        "secrets": secrets,
        "encrypt": encrypt,
        "client": app.settings.google_client_id,
        "clientSecret": client_secret.get_secret_value(),
    }
    # Modules are looked for from where the program stands, or, of one that is piped in, from here.
    process = await asyncio.create_subprocess_exec(
        "node",
        "--input-type=module",
        "--eval",
        (HERE / "application.mjs").read_text("utf-8"),
        cwd=folder,
        env={**os.environ, "SETUP": json.dumps(setup)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Real(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
