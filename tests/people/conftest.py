"""Interactions out of the probe's records, and the two stages that make contacts of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.engine.conftest import (
    CONTENT,
    Bench,
    Trail,
    bench,
    plugin_folder,
    pool,
    probe,
    trail,
    url,
)

from headrace import plugins
from headrace.engine import state
from headrace.engine.cascade import run_stage
from headrace.people import graph
from headrace.provider import Record
from headrace.rows import InteractionRow
from headrace.settings import Settings
from headrace.stage import RawEvent, StreamContext, stage
from headrace.vault import Vault

__all__ = ["bench", "plugin_folder", "pool", "probe", "trail", "url"]

TENANT, USER, OWN = "acme", "ann", "me@home.example"
START = datetime(2026, 1, 1, tzinfo=UTC)
STAGES = ("probe_numbers", "extract_contacts", "extract_identities")

Who = tuple[str, str | None]
"""A value and a name; `+...` is a telephone number, no @ a login."""


class Letter(msgspec.Struct, omit_defaults=True):
    """What the probe's payload says of an interaction."""

    people: list[dict[str, Any]]
    day: int = 0
    automated: str | None = None


def letter(sender: Who | None, *to: Who, also: Iterable[Who] = (), **more: Any) -> bytes:
    """A payload: a message of `sender`, who writes with `also` too."""
    people = [_person("from", one) for one in ([sender] if sender else []) + list(also)]
    people += [_person("to", one) for one in to]
    return msgspec.json.encode(Letter(people=people, **more))


def _person(role: str, who: Who) -> dict[str, Any]:
    value, name = who
    kind = "phone" if value.startswith("+") else "email" if "@" in value else "github"
    return {"role": role, "kind": kind, "value": value, "name": name}


class Letters:
    """Lands letters, runs the stages, and reads what there is."""

    def __init__(self, trail: Trail, home: Path) -> None:
        self.trail = trail
        self.bench: Bench = trail.bench
        self._home = home

    def settings(self, **more: Any) -> None:
        """What the stages are told."""
        made = Settings(_env_file=None, headrace_home=self._home, **more)
        state.enter(state.State(self.bench.database, made, Vault.from_settings(made)))

    def land(self, **payloads: bytes | None) -> int:
        """One batch: letters by id; None is gone. Returns its number."""
        records = [
            Record(name, payload or b"", gone=payload is None) for name, payload in payloads.items()
        ]
        self.trail.land_one(*records)
        return int(self.trail.batches()[-1]["batch_id"])

    def run(self, *batches: int) -> None:
        """All stages, batch by batch."""
        for number in batches:
            for name in STAGES:
                run_stage(self.bench.database, name, number)

    def send(self, **payloads: bytes | None) -> int:
        """Land a batch and work it through."""
        number = self.land(**payloads)
        self.run(number)
        return number

    def identities(self) -> dict[str, dict[str, Any]]:
        """By their value."""
        rows = self.bench.rows("SELECT * FROM headrace.contact_identities")
        return {row["value"]: row for row in rows}

    def contacts(self) -> set[frozenset[str]]:
        """The values that each contact holds."""
        rows = self.bench.rows(
            "SELECT array_agg(i.value) AS all FROM headrace.contacts c"
            " JOIN headrace.contact_identities i USING (tenant_id, contact_id) GROUP BY contact_id"
        )
        return {frozenset(row["all"]) for row in rows}

    def tables(self) -> list[Any]:
        """All there is, without what says when and by which batch it came."""
        left_out = "- 'batch_id' - 'link_id' - 'created_at' - 'match_keys'"
        return [
            [
                str(row["one"])
                for row in self.bench.rows(
                    f"SELECT to_jsonb(t) {left_out} AS one FROM headrace.{table} t ORDER BY 1"
                )
            ]
            for table in ("participants", "contact_identities", "contacts")
        ]

    def rebuild(self) -> None:
        """Make all contacts anew."""
        with self.bench.database.transaction() as session:
            graph.rebuild(session, TENANT, USER)


@pytest.fixture
def letters(trail: Trail, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Letters:
    """See `Letters`; the probe's stage makes interactions here."""

    @stage(version=1, content=CONTENT)
    def probe_numbers(raw: RawEvent, stream: StreamContext) -> Iterable[InteractionRow]:
        told = msgspec.json.decode(raw.payload, type=Letter)
        yield InteractionRow(
            source_id=raw.source_id,
            version=raw.version,
            source="mailbox",
            kind="email_received",
            occurred_at=START + timedelta(days=told.day),
            people=msgspec.json.encode(told.people),
            automated=told.automated,
        )

    monkeypatch.setitem(plugins.stages(), "probe_numbers", probe_numbers)
    trail.bench.rows("UPDATE headrace.connections SET addresses = ARRAY[%s] RETURNING 1 AS n", OWN)
    made = Letters(trail, tmp_path)
    made.settings()
    return made
