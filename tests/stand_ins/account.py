"""An account at a stand-in, connected by its owner's consent, and what is here of it."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.accounts import TENANT, USER, VAULT, run
from tests.stand_ins.emulate import Emulate

from headrace.engine.cascade import run_stage
from headrace.engine.sync import Outcome
from headrace.oauth.connect import Wish
from headrace.oauth.consent import Asked, begin, finish, returned
from headrace.settings import Settings
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database

_OF = "JOIN headrace.streams s USING (tenant_id, stream_id) WHERE s.connection_id = %s"
_UNSTAGED = f"""
SELECT batch_id FROM headrace.batches b {_OF} AND b.inserted > 0 AND s.name <> 'calendars'
  AND NOT EXISTS (SELECT FROM headrace.stage_runs r
    WHERE r.tenant_id = b.tenant_id AND r.batch_id = b.batch_id)
ORDER BY batch_id
"""
_NEWEST = f"""
SELECT DISTINCT ON (s.stream_id, source_id) source_id, payload FROM headrace.raw_events {_OF}
ORDER BY s.stream_id, source_id, version DESC
"""
_FORM = re.compile(r'<form[^>]* action="([^"]+)">(.*?)</form>', re.DOTALL)
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class Account:
    """One connection, which `sync` walks as a job does; `stage` makes rows of what it brings."""

    def __init__(
        self, database: Database, settings: Settings, connection: ConnectionRow, stage: str
    ) -> None:
        self.database = database
        self.settings = settings
        self.connection = connection
        self._stage = stage

    async def sync(self) -> list[Outcome]:
        """The outcomes of a job, every one of which has to be good, and what it brought staged."""
        outcomes = await run(self.database, self.settings, self.connection)
        assert {one.state for one in outcomes} == {"done"}, outcomes
        for row in await self.rows(_UNSTAGED):
            await asyncio.to_thread(run_stage, self.database, self._stage, row["batch_id"])
        return outcomes

    def over(self) -> None:
        """The access token is over."""
        with self.database.connection() as session:
            session.execute(
                "UPDATE headrace.grants SET expires_at = now() - interval '1 minute'"
                " WHERE grant_id = %s",
                [self.connection["grant_id"]],
            )

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query about this connection answers."""

        def look() -> list[dict[str, Any]]:
            with self.database.connection() as session:
                found = session.execute(query.encode(), [self.connection["connection_id"]])
                return found.fetchall()

        return await asyncio.to_thread(look)

    async def of(self, table: str) -> dict[str, dict[str, Any]]:
        """The rows of a projection by their ids; nothing was put aside on the way to it."""
        assert await self.rows(f"SELECT reason FROM headrace.dead_letters {_OF}") == []
        found = await self.rows(f"SELECT t.*, s.name AS stream FROM headrace.{table} t {_OF}")
        return {row["source_id"]: row for row in found}

    async def payloads(self) -> dict[str, dict[str, Any]]:
        """What was last sent of everything that is not gone, by its id."""
        found = await self.rows(_NEWEST)
        return {row["source_id"]: json.loads(row["payload"]) for row in found if row["payload"]}

    async def landed(self) -> int:
        """How many versions were ever landed."""
        [row] = await self.rows(f"SELECT count(*) AS n FROM headrace.raw_events {_OF}")
        return int(row["n"])


async def consent(
    database: Database,
    settings: Settings,
    emulate: Emulate,
    wishes: Iterable[Wish],
    *,
    owner: str,
    back: str,
) -> list[ConnectionRow]:
    """The connections that come of the owner's consent: sent there, a click, and back."""
    asked = Asked(wishes=list(wishes), redirect_uri=back)
    address = await asyncio.to_thread(begin, database, VAULT, settings, TENANT, USER, asked)
    page, _ = await emulate.visit(address)
    forms = [(action, dict(_FIELD.findall(fields))) for action, fields in _FORM.findall(page)]
    [(action, fields)] = [one for one in forms if owner in one[1].values()]
    clicked = {name: html.unescape(value) for name, value in fields.items()}
    _, place = await emulate.visit(emulate.url + action, clicked)
    assert place.startswith(f"{back}?"), place
    brought = dict(parse_qsl(urlsplit(place).query))
    waiting = await asyncio.to_thread(returned, database, VAULT, brought["state"])
    made = await asyncio.to_thread(finish, database, VAULT, settings, waiting, code=brought["code"])
    assert made.refused == {}
    return made.connections
