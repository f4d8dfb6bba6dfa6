"""`headrace dead-letters`: what could not be processed: looked at, retried, mended, let go."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import click
import msgspec
import typer
from rich.markup import escape

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.letter_options import narrowed
from headrace.cli.options import Json, Limit
from headrace.cli.show import Columns, answer_json, answer_rows, out, say
from headrace.engine import mend, redrive, redrive_many
from headrace.engine.redrive_at_once import Round
from headrace.errors import BadInput
from headrace.store import dead_letters as letters
from headrace.store.database import Connection, Database
from headrace.store.dead_letters import Chosen

dead_letters = typer.Typer(help="What could not be processed, and why.", no_args_is_help=True)

_BY = "command line"

LetterId = Annotated[int, typer.Argument(help="The dead letter's number.")]
Maybe = Annotated[int | None, typer.Argument(help="The dead letter's number.")]
All = Annotated[bool, typer.Option("--all", help="All that the options leave, not one.")]


@dead_letters.command("list")
@narrowed()
def list_letters(
    *,
    chosen: Chosen,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """The newest dead letters."""
    with reading() as database, database.people(TENANT, USER) as session:
        rows = letters.listing(session, chosen, limit=limit)
    columns: Columns = {
        "number": "dead_letter_id",
        "stage": "stage",
        "record": "source_id",
        "reason": "reason",
        "what to do": "hint",
        "tries": "attempts",
    }
    answer_rows("dead letters", rows, columns, json=json)


@dead_letters.command("counts")
@narrowed()
def count_letters(
    *,
    chosen: Chosen,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """How many there are by reason, the most frequent first."""
    with reading() as database, database.people(TENANT, USER) as session:
        rows = letters.counts(session, chosen, limit)
    same = {name: name for name in ("letters", "stage", "reason", "oldest", "newest")}
    answer_rows("dead letters by reason", rows, {**same, "such as": "example"}, json=json)


@dead_letters.command("show")
def show_letter(number: LetterId, json: Json = False) -> None:
    """One dead letter with its raw bytes and its history."""
    with reading() as database, database.people(TENANT, USER) as session:
        row = letters.get(session, number)
    if json:
        answer_json(row)
        return
    raw, history = row.pop("raw") or b"", row.pop("history")
    for name, value in row.items():
        if value is not None and name not in ("content_hash", "mended", "raw_bytes"):
            out.print(f"{name:14} {escape(str(value))}")
    for one in history:
        by = f" by {one['by']}" if "by" in one else ""
        said = f"{one['at']} {one['what']}{by} ({one.get('code', '?')}) {one.get('reason', '')}"
        out.print(f"{'history':14} {escape(said)}")
    out.print(f"{'raw':14} {len(raw):,} bytes")
    out.print(raw[:4000].decode("utf-8", "replace"), markup=False)


@dead_letters.command("retry")
@narrowed(state=False)
def retry_letter(
    *,
    number: Maybe = None,
    all_: All = False,
    chosen: Chosen,
    json: Json = False,
) -> None:
    """Process a dead letter again, or --all that the options leave."""
    _one_or_all(number, all_, chosen)
    with reading() as database:
        if number is None:
            _retry_all(database, chosen, json=json)
            return
        _known(database, number)
        outcome = redrive.again(database, TENANT, USER, number, by=_BY)
    _tell(outcome, json=json)


@dead_letters.command("mend")
def mend_letter(
    number: LetterId,
    file: Annotated[
        str | None,
        typer.Argument(help="A file with the bytes as they should be, or -. Unset: an editor."),
    ] = None,
    json: Json = False,
) -> None:
    """Process a dead letter with other bytes in the place of its own."""
    with reading() as database:
        with database.people(TENANT, USER) as session:
            held = letters.get(session, number)["raw"] or b""
        raw = _mended(held, file)
        outcome = mend.mend(database, TENANT, USER, number, raw, by=_BY)
    _tell(outcome, json=json)


@dead_letters.command("drop")
@narrowed(state=False)
def drop_letter(
    *,
    number: Maybe = None,
    all_: All = False,
    chosen: Chosen,
    json: Json = False,
) -> None:
    """Let a dead letter go, or --all that the options leave; rows stay, marked dropped."""
    _one_or_all(number, all_, chosen)
    with reading() as database:
        if number is None:
            dropped = _drop_all(database, chosen)
            if json:
                answer_json({"dropped": dropped})
            else:
                out.print(f"Dropped {dropped:,} dead letters.")
            return
        _known(database, number)
        with database.people(TENANT, USER) as session:
            letters.drop(session, number, _BY)
    if json:
        answer_json({"dead_letter_id": number, "state": "dropped"})
    else:
        out.print(f"Dropped dead letter {number}.")


@dead_letters.command("export")
@narrowed()
def export_letters(
    *,
    file: Annotated[str, typer.Argument(help="Where to; - is standard output.")] = "-",
    chosen: Chosen,
    json: Json = False,
) -> None:
    """All of them with their bytes and history, as JSON: one a line."""
    written = 0
    with reading() as database:
        session: Callable[[], AbstractContextManager[Connection]] = partial(
            database.people, TENANT, USER
        )
        to = sys.stdout.buffer if file == "-" else Path(file).open("wb")  # noqa: SIM115
        try:
            for row in letters.export(session, chosen):
                to.write(msgspec.json.encode(row) + b"\n")
                written += 1
        finally:
            to.flush()
            if file != "-":
                to.close()
    if file != "-" and json:
        answer_json({"exported": written})
    else:
        say(f"Exported {written:,} dead letters.")


def _one_or_all(number: int | None, all_: bool, chosen: Chosen) -> None:
    if (number is None) == (not all_ and not chosen.narrowed):
        raise BadInput(
            "It has to be said which dead letters are meant.",
            hint="Name one by its number, or --all, with options that narrow it.",
        )


def _retry_all(database: Database, chosen: Chosen, *, json: bool) -> None:
    with database.people(TENANT, USER) as session:
        many = letters.how_many(session, chosen)
        if many > redrive_many.MANY:
            row = redrive_many.submit(session, TENANT, USER, chosen, of_user=USER, by=_BY)
    if many > redrive_many.MANY:
        if json:
            answer_json({"job_id": row["job_id"], "of": many})
            return
        out.print(f"{many:,} dead letters are retried by job {row['job_id']}.", soft_wrap=True)
        say("  `headrace up` or `headrace worker` works on it; `headrace jobs show` tells how far.")
        return
    total = Round()
    while True:
        done = redrive_many.retry_all(
            database, TENANT, USER, chosen, after=total.after or 0, seconds=60, by=_BY
        )
        total.retried += done.retried
        total.still_open += done.still_open
        total.after = done.after
        if done.after is None:
            break
    if json:
        answer_json({"retried": total.retried, "still_open": total.still_open})
    else:
        out.print(f"Retried {total.retried:,} dead letters; {total.still_open:,} stay open.")


def _drop_all(database: Database, chosen: Chosen) -> int:
    dropped = 0
    while True:
        with database.people(TENANT, USER) as session:
            gone = letters.drop_all(session, chosen, _BY)
        dropped += gone
        if gone < letters.AT_ONCE:
            return dropped


def _mended(held: bytes, file: str | None) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    if file is not None:
        try:
            return Path(file).read_bytes()
        except OSError as error:
            raise BadInput(
                f"{file} cannot be read: {error.strerror}.", hint="Name a file with the bytes."
            ) from None
    try:
        edited = click.edit(held.decode(), require_save=True)
    except UnicodeDecodeError:
        raise BadInput("These bytes are no text to edit.", hint="Name a file with them.") from None
    except click.ClickException as error:
        raise BadInput(error.message, hint="Name a file with the bytes, or set EDITOR.") from None
    if edited is None:
        raise BadInput("Nothing was changed.", hint="Save what you have edited.")
    return edited.encode()


def _tell(outcome: redrive.Retried, *, json: bool) -> None:
    if json:
        answer_json(outcome)
    else:
        out.print(escape(outcome.message))


def _known(database: Database, number: int) -> dict[str, Any]:
    """Raises BadInput, saying so, when there is no such letter: over is something else."""
    with database.people(TENANT, USER) as session:
        return letters.get(session, number)
