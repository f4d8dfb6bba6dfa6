"""One scenario's world: a database, a source, and the commands that are killed between them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
from tests.crash.audit import Versions, audit, landed
from tests.crash.processes import Commands, Running
from tests.crash.source import Source
from tests.crash.tally import Tally

from headrace.engine import intake
from headrace.settings import load
from headrace.store.database import Database


class World:
    """A source to be synced into a database by commands that die.

    It keeps the books of every death: what had been asked of the source and not yet committed is
    what may be asked for again, and nothing else.
    """

    def __init__(self, commands: Commands, database: str, source: Source, tally: Tally) -> None:
        self.commands = commands
        self.database = database
        self.source = source
        self.tally = tally
        self._spec = commands.home / "events.yaml"
        self._spec.write_text(source.spec, encoding="utf-8")
        self._allowed = 0

    def sync(self, crash: str = "", **environment: str) -> Running:
        """Start `headrace sync` on the source."""
        return self.commands.start("sync", "--spec", str(self._spec), crash=crash, **environment)

    def submit(self) -> str:
        """Make the job as an API would, and leave it to workers. Returns its id."""
        wanted = intake.rest_spec(self._spec)
        store = Database(self.database, connections=1).open()
        try:
            with store.transaction() as session:
                row = intake.connect(session, "default", "me", wanted, load())
                return str(intake.submit_sync(session, row)["job_id"])
        finally:
            store.close()

    def dies(self, crash: str) -> None:
        """Run a sync that has to die at this point."""
        self.sync(crash).dies(crash)
        self.buried()

    def may_die(self, crash: str) -> bool:
        """Run a sync that dies at this point if it comes by; returns whether it did."""
        running = self.sync(crash)
        if running.wait() == 0:
            return False
        running.dies(crash)
        self.buried()
        return True

    def buried(self) -> None:
        """Write a death into the books. To be called while nothing of this world runs."""
        pages, _ = landed(self.database)
        answered = len(self._answered())
        open_pages = answered - self._allowed - pages
        self.tally.kills += 1
        self.tally.most = max(self.tally.most, open_pages)
        self._allowed += max(0, open_pages)

    def ends(self, *revisions: int) -> None:
        """Run a sync to its end, and compare everything: these revisions of the source, or the
        first, must be there, and no page may have been asked for without need (A2.28, A2.34)."""
        self.sync().succeeds()
        self.compare(*revisions)

    def compare(self, *revisions: int, bounded: bool = True) -> None:
        """Hold the database against the source and, where `bounded`, the source's log against the
        kills."""
        found = audit(self.database, self.wanted(*(revisions or (0,))))
        ((walks,),) = self.query("SELECT count(*)::int FROM headrace.jobs")
        pages = -(-self.source.total // self.source.page)
        again = sum(Counter(self._answered()).values()) - walks * pages
        if bounded:
            assert 0 <= again <= self._allowed, (again, self._allowed)
        self.tally.rounds += 1
        self.tally.records += self.source.total
        self.tally.again += again
        self.tally.lost += found.lost
        self.tally.doubled += found.doubled

    def wanted(self, *revisions: int) -> Versions:
        """What has to be there after walks at these revisions: a version wherever one differs."""
        wanted: Versions = {}
        for revision in revisions:
            for event_id, payload in self.source.events(revision).items():
                versions = wanted.setdefault(event_id, [])
                if not versions or versions[-1] != payload:
                    versions.append(payload)
        return wanted

    def landed(self) -> int:
        """Records committed so far."""
        return landed(self.database)[1]

    def runner(self) -> int | None:
        """The process id of whoever runs a job at this moment, None when nobody does."""
        rows = self.query(
            "SELECT executor_id FROM dbos.workflow_status"
            " WHERE name = 'headrace.job' AND status = 'PENDING'"
        )
        return int(rows[0][0].split(":")[-2]) if rows else None

    def written_under(self) -> int:
        """The newest epoch that has written anything."""
        ((epoch,),) = self.query("SELECT coalesce(max(epoch), 0) FROM headrace.batches")
        return int(epoch)

    @property
    def over(self) -> bool:
        """Whether every job is over and everything it landed worked through."""
        return not self.query(
            "SELECT FROM headrace.jobs WHERE completed_at IS NULL UNION ALL"
            " SELECT FROM headrace.batches b WHERE inserted > 0 AND NOT EXISTS"
            " (SELECT FROM headrace.stage_runs s WHERE s.batch_id = b.batch_id)"
        )

    def wait(self, ready: Callable[[], bool], seconds: float = 60) -> float:
        """Wait until something is so; the seconds it took."""
        began = time.monotonic()
        while not ready():
            assert time.monotonic() - began < seconds, "it never came to be"
            time.sleep(0.02)
        return time.monotonic() - began

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def _answered(self) -> list[int | None]:
        """The offset of every page the source has given out."""
        return [one.offset for one in self.source.asked() if one.status == 200]
