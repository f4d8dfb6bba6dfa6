"""Making insights: a job of its own, on a queue of its own, never on the way of what comes in.

A job is a list of subjects. Each is read, made by the model or by rules, and kept together with the
note of how far the job is: what dies in between is made again, and what a model has said once is
not asked for twice. Where the model cannot be had, rules do, and the insight says why.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg

from headrace import telemetry
from headrace.engine import jobs, state
from headrace.engine.ask import Asking, Said
from headrace.engine.leaving import leaving
from headrace.engine.sync import LEG_SECONDS, Outcome, outcome_of
from headrace.errors import HeadraceError, Retry
from headrace.insight import MOST_SUBJECTS, RULES, Gathered, Kind, Reader, input_hash, plain, quotes
from headrace.plugins import insight_kind
from headrace.prompt import prompt_hash
from headrace.settings import Settings
from headrace.store import insights as store
from headrace.store.checkpoints import Cancelled
from headrace.store.database import Connection, Database
from headrace.store.insights import Input
from headrace.store.jobs import JobRow, note, under_way
from headrace.text import clean_text

KIND = "insight"

WAITS = 4
"""Times that a job waits for a model that is busy, with nothing made in between; then rules do for
the rest of it. One less than the attempts after which a job fails."""

_MOST_NOTES = 5


class Wish(msgspec.Struct):
    """A kind of insight, and about what; without a subject, about those it would choose."""

    kind: str
    subject: str | None = None


class Payload(msgspec.Struct):
    """What a job is to make."""

    wanted: list[Wish]


class Standing(msgspec.Struct):
    """How far a job is, kept in its `summary`: insights `made`, and by whom; subjects of which the
    same was `known` already, and those of which there was `nothing` to say."""

    made: int = 0
    known: int = 0
    nothing: int = 0
    by: dict[str, int] = {}
    tokens: int = 0
    notes: list[str] = []
    left: list[Wish] | None = None
    waits: int = 0


def submit(
    connection: Connection,
    tenant: str,
    user: str,
    wanted: list[Wish],
    *,
    idempotency_key: str | None = None,
    after: Sequence[str] = (),
    regardless: bool = False,
    lane: str = "interactive",
) -> tuple[JobRow, bool]:
    """Make a job for insights, and say whether it is new; for `after`, see `jobs.submit`. Raises
    BadInput for an unknown kind, or for what is no subject of it."""
    for one in wanted:
        kind = insight_kind(one.kind)
        if one.subject is not None:
            kind.check_subject(one.subject)
    payload = msgspec.to_builtins(Payload(wanted))
    return jobs.submit(
        connection,
        tenant=tenant,
        user=user,
        kind=KIND,
        payload=payload,
        priority="low",
        lane=lane,
        idempotency_key=idempotency_key,
        after=after,
        regardless=regardless,
    )


def there(connection: Connection, tenant: str, user: str, wish: Wish) -> bool:
    """Whether the user has anything of this subject."""
    kind = insight_kind(wish.kind)
    return wish.subject is None or kind.there(_reader(connection, tenant, user), wish.subject)


def leg(database: Database, job_id: str, turn: int) -> Outcome:
    """Some seconds of making insights: what one durable step covers. `inserted` counts the subjects
    that it is through with. Raises Cancelled when the job is over."""
    until = time.monotonic() + LEG_SECONDS
    with database.connection() as connection:
        row = under_way(connection, job_id, turn)
        if row is None:
            return Outcome("stop")
        making = _Making(database, connection, state.current().settings, row, turn)
        try:
            while making.left:
                making.next()
                if (leaving() or time.monotonic() >= until) and making.left:
                    return Outcome("more", inserted=making.through)
        except Retry as busy:
            ended = outcome_of(busy, "insight")
            ended.inserted = making.through
            return ended
        making.end()
    return Outcome("done")


def _reader(connection: Connection, tenant: str, user: str) -> Reader:
    def ask(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        return connection.execute(statement.encode(), values).fetchall()

    return Reader(ask, tenant, user, datetime.now(UTC))


class _Making:
    """One leg of one job."""

    def __init__(
        self,
        database: Database,
        connection: Connection,
        settings: Settings,
        row: JobRow,
        turn: int,
    ) -> None:
        self._database = database
        self._job_id, self._turn = row["job_id"], turn
        self.through = 0
        self._tenant, self._user = row["tenant_id"], row["user_id"]
        self._reader = _reader(connection, self._tenant, self._user)
        self._standing = msgspec.convert(row["summary"] or {}, Standing)
        if self._standing.left is None:
            self._standing.left = self._chosen(msgspec.convert(row["payload"], Payload))
        owner = (self._tenant, self._user)
        patient = self._standing.waits < WAITS
        self._asking = Asking(connection, settings, *owner, patient=patient)

    @property
    def left(self) -> list[Wish]:
        """What is still to be made."""
        return self._standing.left or []

    def next(self) -> None:
        """Make the next insight, and note it. One that fails by a bug is left out."""
        wish = self.left[0]
        kind = insight_kind(wish.kind)
        try:
            self._make(kind, wish.subject or "")
        except Retry:
            self._standing.waits += 1
            self._note()
            raise
        except (psycopg.OperationalError, HeadraceError):
            raise
        except Exception as error:  # noqa: BLE001 - one subject must not keep the others waiting
            telemetry.bug(f"insight {wish.kind}", error)
            self._say(f"{wish.kind} of {wish.subject} failed by a bug: {error!r}.")
            self._done()
            self._note()

    def end(self) -> None:
        """Note that there is nothing left."""
        self._standing.left = None
        self._note()

    def _make(self, kind: Kind, subject: str) -> None:
        """One insight, and in the same transaction the note that it is made."""
        gathered = kind.gather(self._reader, subject)
        if gathered is None:
            self._standing.nothing += 1
            self._done()
            self._note()
            return
        owner = (self._tenant, self._user, kind.name, gathered.subject)
        given = Input(*owner, input_hash(kind.name, gathered), prompt_hash(kind))
        said = self._asking.ask(kind, gathered, given)
        with self._database.transaction() as connection:
            if said is None or not self._keep(connection, kind, gathered, given, said):
                self._standing.known += 1
            self._done()
            self._note(connection)

    def _keep(
        self, connection: Connection, kind: Kind, gathered: Gathered, given: Input, said: Said
    ) -> bool:
        """Whether it is new."""
        standing = self._standing
        standing.tokens += said.tokens
        if said.note:
            self._say(said.note)
        told = said.told or kind.rules(gathered)
        made_by = (said.told and said.model) or RULES
        if said.told is None and said.asked is None:
            given = msgspec.structs.replace(given, prompt_hash="")
        new = store.add(
            connection,
            given,
            plain(told),
            quotes(told, gathered.given),
            made_by=made_by,
            asked=said.asked,
            note=said.note,
            job_id=self._job_id,
        )
        if new:
            standing.made += 1
            standing.by[made_by] = standing.by.get(made_by, 0) + 1
        return new

    def _chosen(self, payload: Payload) -> list[Wish]:
        """Every subject that the job is about."""
        found = []
        for wish in payload.wanted:
            if wish.subject is not None:
                found.append(wish)
            else:
                some = insight_kind(wish.kind).subjects(self._reader, MOST_SUBJECTS)
                found += [Wish(wish.kind, subject) for subject in some]
        return found

    def _done(self) -> None:
        self._standing.left = self.left[1:]
        self.through += 1
        if self._standing.waits < WAITS:
            self._standing.waits = 0

    def _say(self, note: str) -> None:
        notes = self._standing.notes
        note = clean_text(note)
        if note not in notes and len(notes) < _MOST_NOTES:
            notes.append(note)

    def _note(self, connection: Connection | None = None) -> None:
        """Write down how far the job is. Raises Cancelled when it is over."""
        if connection is None:
            with self._database.transaction() as own:
                return self._note(own)
        if not note(connection, self._job_id, self._turn, self._standing):
            raise Cancelled(f"Job {self._job_id} is over.")
        return None
