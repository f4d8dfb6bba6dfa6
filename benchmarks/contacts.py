"""`make bench-contacts`: how right the links between identities are, and how fast they are made.

Rightness is of the labelled pairs in `contact_pairs.txt`. Speed is of the two stages alone, on a
PostgreSQL of their own: interactions are landed and written first, in batches of 10,000, as
normalising leaves them, and then each batch goes through both stages in turn.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec

from benchmarks.contact_pairs import Score, automatic, labelled, suggested
from benchmarks.docs import write
from benchmarks.machine import describe
from headrace.engine import state
from headrace.engine.cascade import run_stage
from headrace.engine.schema import prepare
from headrace.people.likeness import AUTOMATIC, SUGGESTED
from headrace.provider import Record, StreamPlan
from headrace.rows import InteractionRow, Person
from headrace.settings import Settings
from headrace.store import connections, projection
from headrace.store.checkpoints import claim
from headrace.store.database import Database
from headrace.store.embedded import postgres
from headrace.store.landing import Gathered, Landing
from headrace.vault import Vault

BATCH = 10_000
STAGES = ("extract_contacts", "extract_identities")
MINE = {"tenant": "default", "user": "me"}
START = datetime(2020, 1, 1, tzinfo=UTC)

HEAD = (
    "| interactions so far | identities | links | contacts | extract_contacts, rows/s |"
    " extract_identities, rows/s |\n"
    "|---|---|---|---|---|---|"
)

_SOUNDS = "ka lo mi ren sa tor vel ny ber din fa gus hol jen kir lam mor nes ol pri"
_SYLLABLES = _SOUNDS.split()


def rightness() -> list[str]:
    """Precision and recall of what is done, and of what is suggested; and every mistake."""
    pairs = list(labelled())
    done, wrong = automatic(pairs)
    lines = [
        f"{len(pairs)} pairs, {sum(one.same for one in pairs)} of them one person.",
        "",
        "| links | from score | right | wrong | precision | recall | aim | reached |",
        "|---|---|---|---|---|---|---|---|",
        _line("automatic", f"{AUTOMATIC}", done, 0.99),
        _line("suggested, of the rest", f"{SUGGESTED}", suggested(pairs)),
        "",
    ]
    if wrong:
        told = "; ".join(one.line[2:].replace("|", "and") for one in wrong)
        lines += [f"Joined wrongly: `{told}`.", ""]
    return lines


def _line(what: str, least: str, found: Score, aim: float | None = None) -> str:
    reached = "" if aim is None else ("yes" if found.precision >= aim else "no")
    told = "" if aim is None else f"precision >= {aim}"
    return (
        f"| {what} | {least} | {found.right} | {found.wrong} | {found.precision:.3f} |"
        f" {found.recall:.2f} | {told} | {reached} |"
    )


def people(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Addresses and names: some twenty at a company, a third at mail providers, some at both."""
    dice = random.Random(seed)
    made: dict[str, str] = {}
    while len(made) < count:
        first, last = ("".join(dice.choices(_SYLLABLES, k=k)) for k in (2, 3))
        host = f"company{dice.randrange(count // 20)}.com"
        spelled = [f"{first}.{last}", f"{first[0]}{last}", first]
        for local in dice.sample(spelled, dice.choice([1, 1, 1, 2])):
            made[f"{local}@{host}"] = f"{first} {last}".title()
        if dice.random() < 0.3:
            made[f"{first}{last}{dice.randrange(100)}@gmail.com"] = f"{first} {last}".title()
    return list(made.items())[:count]


def interactions(count: int, known: Sequence[tuple[str, str]]) -> Iterator[InteractionRow]:
    """Messages of one to four of them; a few write most of it, as they do."""
    dice = random.Random(2)
    for number in range(count):
        at = [int(len(known) * dice.random() ** 2) for _ in range(dice.choice([2, 2, 3, 4]))]
        at[-1] = number % len(known)  # everybody is there in the end
        who = [
            Person("from" if not place else "to", "email", *known[one])
            for place, one in enumerate(at)
        ]
        yield InteractionRow(
            source_id=f"{number:08}",
            version=1,
            source="mailbox",
            kind="email_received",
            occurred_at=START + timedelta(minutes=number),
            people=msgspec.json.encode(who),
        )


def land(database: Database, rows: Sequence[InteractionRow], stream_id: int) -> int:
    """One batch, as normalising leaves it."""
    with database.transaction() as session:
        claimed = claim(session, **MINE, stream_id=stream_id, slice_="", job_id="bench")
    gathered = Gathered(
        records=[Record(row.source_id, b"{}", row.occurred_at) for row in rows],
        bad=[],
        cursor_before=None,
        cursor_after=None,
        complete=False,
        pages=1,
        payload_bytes=0,
        cursor_hashes=[],
    )
    number = Landing(database, claimed, lambda *_: None).land(gathered).batch_id
    with database.transaction() as session:
        projection.write(
            session,
            InteractionRow,
            rows,
            tenant=MINE["tenant"],
            user=MINE["user"],
            stream_id=stream_id,
            batch_id=number,
            merge=False,
        )
    return number


def speed(url: str, home: Path, count: int, addresses: int) -> list[str]:
    """Interactions a second of each stage, batch after batch."""
    prepare(url)
    settings = Settings(_env_file=None, headrace_home=home)
    database = Database(url, name="bench").open()
    state.enter(state.State(database, settings, Vault(bytes(32))))
    with database.transaction() as session:
        row = connections.save(
            session,
            tenant=MINE["tenant"],
            user=MINE["user"],
            provider="mailbox",
            name="bench",
            config={},
        )
        plan = [StreamPlan("mail", content="message/rfc822")]
        [part] = connections.plan(session, row, plan)
    lines = []
    coming = interactions(count, people(addresses))
    all_ = iter(lambda: list(islice(coming, BATCH)), [])
    for at, rows in enumerate(all_, 1):
        number = land(database, rows, part.stream_id)
        took = []
        for name in STAGES:
            began = time.perf_counter()
            run_stage(database, name, number)
            took.append(time.perf_counter() - began)
        counted = _counts(database)
        told = " | ".join(f"{len(rows) / one:,.0f}" for one in took)
        lines.append(
            f"| {at * BATCH:,} | {counted[0]:,} | {counted[1]:,} | {counted[2]:,} | {told} |"
        )
    database.close()
    return lines


def _counts(database: Database) -> list[int]:
    tables = ("contact_identities", "contact_links", "contacts")
    with database.connection() as session:
        return [
            int(
                (session.execute(f"SELECT count(*) AS n FROM headrace.{one}").fetchone() or {})["n"]
            )
            for one in tables
        ]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interactions", type=int, default=100_000)
    parser.add_argument("--addresses", type=int, default=20_000)
    parser.add_argument("--no-write", action="store_true")
    wanted = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    home.chmod(0o755)
    with postgres(home / "postgres") as url:
        lines = speed(url, home, wanted.interactions, wanted.addresses)
    text = "\n".join(
        [
            (
                f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe()}, PostgreSQL embedded, fsync"
                " on. `make bench-contacts`."
            ),
            "",
            *rightness(),
            HEAD,
            *lines,
        ]
    )
    print(text)
    if not wanted.no_write:
        write("bench-contacts", text)


if __name__ == "__main__":
    main()
