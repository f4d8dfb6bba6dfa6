"""The real Better Auth in a node process. It is installed by npm, once, into the user's cache."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from tests.better_auth.application import HERE, Application

PACKAGES = ("better-auth@1.7.25", "pg@8")
_FOLDER = Path(platformdirs.user_cache_dir("headrace-tests")) / "better-auth-1.7.25"
_PATIENCE = 60.0


def installed() -> Path:
    """The folder where the package is. Skips the test where it cannot be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("The real better-auth is not tested: there is no node and npm here.")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_FOLDER / ".complete").exists():
            command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
            try:
                subprocess.run(
                    command, cwd=_FOLDER, check=True, capture_output=True, timeout=_PATIENCE
                )
            except (OSError, subprocess.SubprocessError):
                pytest.skip("The real better-auth is not tested: npm cannot install it here.")
            (_FOLDER / ".complete").touch()
    return _FOLDER


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
    folder = await asyncio.to_thread(installed)
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
