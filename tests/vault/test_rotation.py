"""Changing the key that seals credentials, while others read and write them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headrace.cli.app import app
from headrace.errors import NeedsHuman
from headrace.settings import Settings
from headrace.store import connections, grants
from headrace.store.database import Database
from headrace.vault import Vault


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, headrace_home=tmp_path, headrace_secret_key=None)


def fill(store: Database, vault: Vault, many: int) -> list[str]:
    """Connections with a sealed credential, and grants with sealed tokens."""
    ids = []
    with store.transaction() as session:
        for n in range(many):
            row = connections.save(
                session, tenant="acme", user="ann", provider="rest", name=f"c{n}", config={}
            )
            ids.append(row["connection_id"])
            sealed = vault.seal(f"secret {n}", tenant="acme", connection=row["connection_id"])
            connections.seal(session, row["connection_id"], sealed)
            grant = grants.save(
                session, tenant="acme", user="ann", issuer="google", account=f"a{n}", scopes=[]
            )
            kept = vault.seal(f"tokens {n}", tenant="acme", connection=grant)
            grants.keep(session, "acme", grant, kept, seconds=None)
    return ids


def headers(store: Database) -> set[bytes]:
    with store.connection() as session:
        rows = session.execute(
            "SELECT credential AS sealed FROM headrace.connections"
            " UNION ALL SELECT tokens FROM headrace.grants"
        ).fetchall()
    return {bytes(row["sealed"][:9]) for row in rows}


def test_rotating_while_others_read_and_write(
    database: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers Tokens: no read fails, and in the end nothing is on the old key; a process that has
    run since before learns of the new one by itself."""
    store = Database(database).open()
    running = Vault.from_settings(settings)
    ids = fill(store, running, 1_200)
    before = headers(store)
    failed: list[Exception] = []
    reads = 0
    over = threading.Event()

    def use() -> None:
        nonlocal reads
        while not over.is_set():
            for at in ids[::100]:
                try:
                    with store.connection() as session:
                        row = connections.get(session, at)
                        assert row is not None
                        text = running.open(row["credential"], tenant="acme", connection=at)
                        connections.seal(
                            session, at, running.seal(text, tenant="acme", connection=at)
                        )
                    reads += 1
                except Exception as error:  # noqa: BLE001 - counted, whatever it is
                    failed.append(error)

    monkeypatch.setenv("HEADRACE_HOME", str(settings.headrace_home))
    monkeypatch.setenv("DATABASE_URL", database)
    thread = threading.Thread(target=use)
    thread.start()
    try:
        done = CliRunner().invoke(app, ["keys", "rotate", "--json"], catch_exceptions=False)
    finally:
        over.set()
        thread.join()
    assert done.exit_code == 0, done.output
    assert not failed
    assert reads > 20
    [header] = headers(store)
    assert header not in before
    assert header == Vault.from_settings(settings).header
    assert len((settings.headrace_home / "secret.key").read_text().split()) == 1
    store.close()


def test_a_swapped_row_does_not_open(database: str, settings: Settings) -> None:
    """Covers Tokens: sealed credentials are bound to their rows."""
    store = Database(database).open()
    vault = Vault.from_settings(settings)
    one, other = fill(store, vault, 2)
    with store.connection() as session:
        session.execute(
            "UPDATE headrace.connections SET credential = (SELECT credential FROM"
            " headrace.connections WHERE connection_id = %s) WHERE connection_id = %s",
            [one, other],
        )
        row = connections.get(session, other)
    assert row is not None
    with pytest.raises(NeedsHuman, match="damaged or belong to another"):
        vault.open(row["credential"], tenant="acme", connection=other)
    store.close()
