"""`headrace connections`: paused, resumed, and synced as often as somebody says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from headrace.cli.app import app
from headrace.errors import BadInput
from headrace.store import connections
from headrace.store.database import Database


@pytest.fixture
def row(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Asks for the only connection there is, as it stands."""
    monkeypatch.setenv("DATABASE_URL", database)
    store = Database(database).open()
    with store.transaction() as session:
        connections.save(
            session, tenant="default", user="me", provider="rest", name="shop", config={}
        )

    def ask() -> dict[str, Any]:
        with store.connection() as session:
            [found] = connections.listing(session)
        return found

    yield ask
    store.close()


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["connections", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_paused_and_resumed(row: Any) -> None:
    """A job that ends well does not resume what somebody has paused."""
    assert run("pause", "shop") == "shop is paused.\n"
    assert (row()["health"], row()["health_hint"]) == ("paused", "Resume it.")
    assert run("resume", "shop") == "shop is synced again.\n"
    assert (row()["health"], row()["health_reason"]) == ("active", None)


def test_as_often_as_somebody_says(row: Any) -> None:
    """Covers A0.22, A3.38: by a span, by a cron, as is learned; or when somebody asks."""
    assert run("every", "shop", "15m") == "shop is synced every 15 minutes.\n"
    assert (row()["every_seconds"], row()["schedule"]) == (900, "every 15m")
    assert row()["next_sync_at"] is not None
    assert "every 15m" in run("list")
    run("every", "shop", "0 7 * * mon")
    assert (row()["every_seconds"], row()["schedule"]) == (None, "0 7 * * mon")
    assert "learned from what it finds" in run("every", "shop", "learned")
    assert row()["every_seconds"] == 900
    run("every", "shop", "never")
    assert (row()["every_seconds"], row()["schedule"], row()["next_sync_at"]) == (None, None, None)


@pytest.mark.parametrize("span", ["", "15", "m", "0m", "1w", "-1d", "999999d", "30s"])
def test_what_is_no_span_is_refused(row: Any, span: str) -> None:
    with pytest.raises(BadInput):
        run("every", "shop", "--", span)
    assert row()["schedule"] is None
