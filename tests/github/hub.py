"""An account at the GitHub twin, connected, and what is known of it here."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from headrace.engine import jobs
from headrace.engine.cascade import run_stage
from headrace.engine.sync import Outcome, Source, leg, outcome_of
from headrace.errors import HeadraceError
from headrace.oauth import endpoint
from headrace.oauth.issuers import issuer
from headrace.oauth.sealed import Kept, seal
from headrace.settings import Settings
from headrace.store import connections, grants
from headrace.store.database import Database
from headrace.twin.github import GitHub, fingerprint
from headrace.twin.github.changes import AnyChange
from headrace.twin.github.changes.change import Made
from headrace.twin.github.render.people import Site
from headrace.twin.github.rules import CallRule
from headrace.twin.github.truth import truth
from headrace.twin.message import Request
from headrace.vault import Vault

TENANT, USER = "acme", "ann"
NOW_S = 1_800_000_000
VAULT = Vault(bytes(32))

_OURS = "JOIN headrace.streams s USING (tenant_id, stream_id) WHERE s.connection_id = %s"

_LIVE = f"""
SELECT DISTINCT ON (stream_id, source_id) s.name, source_id, content_hash, payload
FROM headrace.raw_events {_OURS} ORDER BY stream_id, source_id, version DESC
"""

_UNSTAGED = f"""
SELECT batch_id FROM headrace.batches b {_OURS} AND b.inserted > 0 AND NOT EXISTS (
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
        name: str = "hub",
        **config: Any,
    ) -> None:
        self.name = name
        self.job_id = ""
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
            session,
            tenant=TENANT,
            user=USER,
            provider="github",
            name=self.name,
            config=self.config,
        )

    def configure(self, **config: Any) -> None:
        """Other settings of the connection from the next job on."""
        self.config |= config
        with self.database.transaction() as session:
            self._save(session)

    def secret(self, secret: str) -> None:
        """Another key for the connection."""
        name = self.id
        with self.database.transaction() as session:
            connections.seal(session, name, VAULT.seal(secret, tenant=TENANT, connection=name))

    async def consented(self) -> tuple[str, str]:
        """An access and a refresh token, as the owner's consent in a browser gives them."""
        back = "http://localhost:1/back"
        query = {"client_id": "twin-client", "redirect_uri": back, "state": "s", "scope": "repo"}
        asked = Request("GET", "/login/oauth/authorize", query, {})
        place = (await self.twin.handle(asked)).headers["Location"]
        code = parse_qs(urlsplit(place).query)["code"][0]
        tokens = await asyncio.to_thread(
            endpoint.for_code, issuer("github", self.settings), code, "", back
        )
        return tokens.access, tokens.refresh or ""

    def consent(self, access: str, refresh: str, seconds: float) -> None:
        """The owner's consent, with these tokens."""
        with self.database.transaction() as session:
            grant = grants.save(
                session, tenant=TENANT, user=USER, issuer="github", account="ada", scopes=["repo"]
            )
            sealed = seal(VAULT, TENANT, grant, Kept(access, refresh))
            grants.keep(session, TENANT, grant, sealed, seconds=seconds)
            session.execute(
                "UPDATE headrace.connections SET grant_id = %s WHERE connection_id = %s",
                [grant, self.id],
            )

    async def sync(self, *, resume: bool = False) -> dict[str, Outcome]:
        """One job's outcome for each stream, or for "" that of the planning; without
        the engine around it: planned, then walked leg by leg, each with a provider of its own.
        With `resume` it is the next run of the job before."""
        if not resume:
            await asyncio.to_thread(self.begin)
        ended: dict[str, Outcome] = {}
        planning = self._source()
        try:
            parts = await planning.plan()
        except HeadraceError as error:
            return {"": outcome_of(error, "plan")}
        finally:
            await planning.aclose()
        while parts:
            source = self._source()
            try:
                outcomes = await leg(source, self.job_id, parts)
            finally:
                await source.aclose()
            ended |= {part.stream: one for part, one in zip(parts, outcomes, strict=True)}
            parts = [part for part in parts if ended[part.stream].state == "more"]
        return ended

    def _source(self) -> Source:
        [row] = self.rows("SELECT * FROM headrace.connections WHERE connection_id = %s", self.id)
        return Source(self.database, self.settings, VAULT, row)

    @property
    def id(self) -> str:
        """The connection's."""
        return str(self.connection["connection_id"])

    async def synced(self) -> None:
        """A job that ends well."""
        outcomes = await self.sync()
        bad = {name: one for name, one in outcomes.items() if one.state != "done"}
        assert not bad, bad

    def begin(self) -> None:
        """A new job; whatever one there was is over."""
        with self.database.transaction() as session:
            session.execute(
                "UPDATE headrace.jobs SET status = 'SUCCEEDED', completed_at = now()"
                " WHERE completed_at IS NULL AND connection_id = %s",
                [self.id],
            )
            row, _ = jobs.submit(
                session,
                tenant=TENANT,
                user=USER,
                kind="github_sync",
                connection_id=self.id,
            )
        self.job_id = str(row["job_id"])

    def stage(self) -> list[dict[str, Any]]:
        """Run the stage on what it has not seen; all its rows."""
        for row in self.rows(_UNSTAGED, self.id):
            run_stage(self.database, "normalize_github", row["batch_id"])
        return self.rows(f"SELECT * FROM headrace.interactions {_OURS} ORDER BY source_id", self.id)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query answers."""
        with self.database.connection() as session:
            return session.execute(query.encode(), values).fetchall()

    def live(self) -> Truth:
        """What is here and not deleted."""
        found: Truth = {}
        for row in self.rows(_LIVE, self.id):
            if not row["content_hash"]:
                continue
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

    def comments(self) -> list[int]:
        """The numbers of all comments of the first repository."""
        return list(next(iter(self.twin.world.repositories.values())).comments)

    def ask(self, path: str, body: object) -> Any:
        """What one of the twin's routes behind the scenes says."""
        asked = Request("POST", path, {}, {}, json.dumps(body).encode())
        with pytest.raises(StopIteration) as ended:
            self.twin.handle(asked).send(None)  # these routes wait for nothing
        answer = ended.value.value
        said = b"".join(answer.parts)
        assert answer.status == 200, said
        return json.loads(said)

    def still(self) -> None:
        """What waits for a call of the twin to happen right before it does not happen any more."""
        self.twin._admin._pending.clear()

    def later(self, seconds: int) -> None:
        """The twin's clock, which is the provider's as well, moves on; so does the database's."""
        self.twin.clock.advance(seconds)
        with self.database.transaction() as session:
            session.execute(
                "UPDATE headrace.allowances"
                " SET spent_until = spent_until - make_interval(secs => %(so)s),"
                " resets_at = resets_at - make_interval(secs => %(so)s)",
                {"so": seconds},
            )

    def faults(self, *rules: CallRule) -> None:
        """These fault rules from now on, and no others."""
        self.twin.set_faults(rules)

    def calls(self, name: str) -> int:
        """How often the twin was asked this."""
        return self.twin.stats.calls[name]

    def versions(self) -> int:
        """How many versions have been landed, of anything."""
        [row] = self.rows(f"SELECT count(*) AS n FROM headrace.raw_events {_OURS}", self.id)
        return int(row["n"])

    def cursor(self, stream: str) -> Any:
        """How far a stream is."""
        query = f"SELECT cursor FROM headrace.checkpoints {_OURS} AND s.name = %s"
        [row] = self.rows(query, self.id, stream)
        return row["cursor"]
