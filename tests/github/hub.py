"""An account at the GitHub twin, connected, and what is known of it here."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from headrace.engine import jobs
from headrace.engine.cascade import run_stage
from headrace.engine.sync import Outcome, Source
from headrace.engine.walk import Budget
from headrace.oauth.keeper import Kept, seal
from headrace.settings import Settings
from headrace.store import connections, grants
from headrace.store.database import Database
from headrace.twin.github import GitHub, fingerprint
from headrace.twin.github.changes import AnyChange
from headrace.twin.github.changes.change import Made
from headrace.twin.github.render.people import Site
from headrace.twin.github.rules import CallRule
from headrace.twin.github.truth import truth
from headrace.vault import Vault

TENANT, USER = "acme", "ann"
NOW_S = 1_800_000_000
VAULT = Vault(bytes(32))

_LIVE = """
SELECT s.name, r.source_id, r.payload FROM (
  SELECT DISTINCT ON (stream_id, source_id) stream_id, source_id, content_hash, payload
  FROM headrace.raw_events ORDER BY stream_id, source_id, version DESC) r
JOIN headrace.streams s USING (stream_id) WHERE r.content_hash <> ''
"""

_UNSTAGED = """
SELECT batch_id FROM headrace.batches b WHERE b.inserted > 0 AND NOT EXISTS (
  SELECT FROM headrace.stage_runs r WHERE r.tenant_id = b.tenant_id AND r.batch_id = b.batch_id)
ORDER BY batch_id
"""

Truth = dict[str, dict[str, str]]
"""By stream: global id, and the digest of what it says."""


class Hub:
    """`twin` is changed without HTTP; `sync` is one job, over HTTP, into PostgreSQL."""

    def __init__(
        self,
        twin: GitHub,
        url: str,
        database: Database,
        *,
        secret: str | None = "ghp_twin",
        **config: Any,
    ) -> None:
        self.twin = twin
        self.url = url
        self.database = database
        self.config = {"requests_per_minute": 1_000_000, **config}
        self.settings = Settings(
            _env_file=None,
            github_base_url=url,
            github_token_url=f"{url}/login/oauth/access_token",
            github_client_id="twin-client",
            github_client_secret="twin-secret",
        )
        with database.transaction() as session:
            self.connection = self._save(session)
        if secret is not None:
            self.secret(secret)

    def _save(self, session: Any) -> dict[str, Any]:
        return connections.save(
            session, tenant=TENANT, user=USER, provider="github", name="hub", config=self.config
        )

    def configure(self, **config: Any) -> None:
        """Other settings of the connection from the next job on."""
        self.config |= config
        with self.database.transaction() as session:
            self._save(session)

    def secret(self, secret: str) -> None:
        """Another key for the connection."""
        name = self.connection["connection_id"]
        with self.database.transaction() as session:
            connections.seal(session, name, VAULT.seal(secret, tenant=TENANT, connection=name))

    def consent(self, access: str, refresh: str, seconds: float) -> None:
        """The owner's consent, with these tokens."""
        with self.database.transaction() as session:
            grant = grants.save(
                session, tenant=TENANT, user=USER, issuer="github", account="ada", scopes=["repo"]
            )
            sealed = seal(VAULT, TENANT, grant, Kept(access, refresh))
            grants.keep(session, TENANT, grant, sealed, seconds=seconds)
            session.execute("UPDATE headrace.connections SET grant_id = %s", [grant])

    async def sync(self, *, seconds: float = 600) -> dict[str, Outcome]:
        """One job's outcome for each stream, without the engine around it."""
        job_id = await asyncio.to_thread(self._submit)
        [row] = self.rows("SELECT * FROM headrace.connections")
        source = Source(self.database, self.settings, VAULT, row)
        try:
            return {
                part.stream: await source.walk(job_id, part, Budget(seconds, source.left(job_id)))
                for part in await source.plan()
            }
        finally:
            await source.aclose()

    async def synced(self) -> None:
        """A job that ends well."""
        outcomes = await self.sync()
        bad = {name: one for name, one in outcomes.items() if one.state != "done"}
        assert not bad, bad

    def _submit(self) -> str:
        with self.database.transaction() as session:
            session.execute(
                "UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now()"
                " WHERE completed_at IS NULL"
            )
            row, _ = jobs.submit(
                session,
                tenant=TENANT,
                user=USER,
                kind="github_sync",
                connection_id=self.connection["connection_id"],
            )
        return str(row["job_id"])

    def stage(self) -> list[dict[str, Any]]:
        """Run the stage on what it has not seen; all its rows."""
        for row in self.rows(_UNSTAGED):
            run_stage(self.database, "normalize_github", row["batch_id"])
        return self.rows("SELECT * FROM headrace.interactions ORDER BY source_id")

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query answers."""
        with self.database.connection() as session:
            return session.execute(query.encode(), values).fetchall()

    def live(self) -> Truth:
        """What is here and not deleted."""
        found: Truth = {}
        for row in self.rows(_LIVE):
            shape = json.loads(bytes(row["payload"]))
            ident = shape.get("node_id") or shape["id"]
            found.setdefault(row["name"], {})[ident] = fingerprint(shape)
        return found

    def truth(self, *kinds: str) -> Truth:
        """What there is at the twin, of these kinds or all that are read."""
        found: Truth = {}
        for number, row in self.twin.world.repositories.items():
            for kind, facts in truth(Site("", "octo"), row).items():
                if kind in ("repository", "pulls") or (kinds and kind not in kinds):
                    continue
                stream = kind if kind == "notifications" else f"{number}/{kind}"
                found.setdefault(stream, {}).update(
                    {ident: fact["sha256"] for ident, fact in facts.items()}
                )
        return {stream: facts for stream, facts in found.items() if facts}

    def change(self, *changes: AnyChange) -> list[Made]:
        """Let these happen at the twin."""
        return self.twin.change(*changes)

    def later(self, seconds: int) -> None:
        """The twin's clock, which is the provider's as well, moves on."""
        self.twin.clock.advance(seconds)

    def faults(self, *rules: CallRule) -> None:
        """These fault rules from now on, and no others."""
        self.twin.set_faults(rules)

    def calls(self, name: str) -> int:
        """How often the twin was asked this."""
        return self.twin.stats.calls[name]

    def versions(self) -> int:
        """How many versions have been landed, of anything."""
        [row] = self.rows("SELECT count(*) AS n FROM headrace.raw_events")
        return int(row["n"])

    def cursor(self, stream: str) -> Any:
        """How far a stream is."""
        query = (
            "SELECT p.cursor FROM headrace.checkpoints p JOIN headrace.streams s USING (stream_id)"
            " WHERE s.name = %s"
        )
        [row] = self.rows(query, stream)
        return row["cursor"]
