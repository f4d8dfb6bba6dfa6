"""Each contender of `make bench-docs` in a process and database of its own, watched and checked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg import sql

from benchmarks.docs_corpus import mark
from benchmarks.machine import server_cpu
from benchmarks.sync import postmaster_of

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv-peers-docs" / "bin" / "python"
"""Made by `make bench-docs-peers`; without it there is only Headrace, and the ceiling."""

HEADRACE, CEILING = "headrace", "embedder alone"
_MODULES = {
    HEADRACE: "docs_headrace",
    CEILING: "docs_ceiling",
    "cocoindex": "docs_cocoindex",
    "llamaindex": "docs_llamaindex",
}
_TABLES = {
    HEADRACE: (
        "SELECT k.body AS text, d.source_id AS file FROM headrace.documents d"
        " JOIN headrace.chunks k ON k.tenant_id = d.tenant_id AND k.stream_id = d.stream_id"
        " AND k.content_hash = d.indexed_hash WHERE k.embedding IS NOT NULL"
    ),
    "cocoindex": "SELECT text, file FROM chunks WHERE embedding IS NOT NULL",
    "llamaindex": (
        "SELECT text, metadata_->>'ref_doc_id' AS file FROM data_chunks WHERE embedding IS NOT NULL"
    ),
}
_INTERVAL = 0.1


def available() -> list[str]:
    """Who can take part, in the order of their turns."""
    return [name for name in _TABLES if name == HEADRACE or PEERS.exists()]


class World:
    """One PostgreSQL, and a folder with the model in it, for all contenders.

    Each has a database `bench_NAME` and a folder NAME from `begin` to `end`.
    """

    def __init__(self, url: str, home: Path) -> None:
        self.home = home
        self._url = url
        self._postmaster = postmaster_of(url)

    def begin(self, name: str) -> None:
        """Nothing is known of any file."""
        self.end(name)
        (self.home / name).mkdir()
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(_database(name)))

    def end(self, name: str) -> None:
        """Leave nothing for the next round."""
        shutil.rmtree(self.home / name, ignore_errors=True)
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_database(name))
            )
            connection.execute("CHECKPOINT")  # nobody pays for what another one has written

    def run(self, name: str, folder: Path, kind: str) -> dict[str, float]:
        """One run in a process of its own: what it reports, with the server's CPU seconds and the
        most memory that it and its children have held together."""
        python = str(PEERS) if name not in {HEADRACE, CEILING} else sys.executable
        owner = HEADRACE if name == CEILING else name
        command = [python, "-m", f"benchmarks.{_MODULES[name]}", self._of(owner)]
        command += [str(self.home / owner), str(folder), kind]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("API_", "HEADRACE_"))}
        kept["PYTHONPATH"] = str(ROOT / "src")
        before = server_cpu(self._postmaster)
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=kept) as process:
            memory = _Memory(process.pid)
            said, _ = process.communicate()
            most = memory.end()
        if process.returncode:
            raise SystemExit(f"{name} ended with {process.returncode}.")
        found: dict[str, float] = json.loads(said.splitlines()[-1])
        found["server"] = server_cpu(self._postmaster) - before
        found["rss"] = most / (1 << 20)
        return found

    def check(self, name: str, files: int, edited: list[int]) -> int:
        """How many chunks its table has, once it is sure that they are those of the files as they
        are: every file is there, edited ones in their second edition and in no other."""
        table = sql.SQL(_TABLES[name])
        with psycopg.connect(self._of(name)) as connection:
            row = connection.execute(
                sql.SQL("SELECT count(*), count(DISTINCT file) FROM ({}) t").format(table)
            ).fetchone()
            texts = connection.execute(
                sql.SQL("SELECT text FROM ({}) t WHERE text LIKE '%edition%'").format(table)
            )
            held = " ".join(text for (text,) in texts)
        expected = {mark(2 if one in edited else 1, one) for one in range(files)}
        stale = {mark(1, one) for one in edited}
        missing = [one for one in expected if one not in held]
        left = [one for one in stale if one in held]
        if row is None or row[1] != files or missing or left:
            raise SystemExit(
                f"{name} has chunks of {row and row[1]} of {files} files; {len(missing)} editions"
                f" are missing, {len(left)} stale ones are left."
            )
        return int(row[0])

    def _of(self, name: str) -> str:
        return urlsplit(self._url)._replace(path=f"/bench_{name}").geturl()


def _database(name: str) -> sql.Identifier:
    return sql.Identifier(f"bench_{name}")


class _Memory:
    """Looks ten times a second at how much memory a process and its children hold."""

    def __init__(self, pid: int) -> None:
        self._most = 0
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(_INTERVAL):
            total = 0
            try:
                for one in [self._process, *self._process.children(recursive=True)]:
                    total += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            self._most = max(self._most, total)

    def end(self) -> int:
        """The most it was, in bytes."""
        self._over.set()
        self._thread.join()
        return self._most
