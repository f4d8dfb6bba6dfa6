"""Starts processes that ask for a token, and lets them go at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.accounts import TENANT
from tests.oauth.world import World

from headrace.store.connections import ConnectionRow

_SCRIPT = str(Path(__file__).with_name("asker.py"))


class Asker:
    """One process; `before` is a command that it is run by, such as faketime."""

    def __init__(
        self, world: World, row: ConnectionRow, *more: str, before: Sequence[str] = ()
    ) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [*before, sys.executable, _SCRIPT, TENANT, row["grant_id"], *more],
            env={**kept, **world.environment()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> Asker:
        """Wait until it only waits for the word."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self

    def go(self) -> None:
        """Say the word."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def said(self) -> str:
        """The token; "" of one that has died."""
        out, _ = self.process.communicate(timeout=60)
        return out.strip()

    def ask(self) -> str:
        """All of it."""
        self.ready().go()
        return self.said()
