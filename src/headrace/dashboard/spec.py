"""An API that a pasted spec describes. What is connected here is a caller's, never an operator's:
it names no variable of this service, and reaches no private address unless everybody may."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from yarl import URL

from headrace.cadence import spec as cadence
from headrace.dashboard import render
from headrace.dashboard.entry import Acting
from headrace.dashboard.page import Look, page, plain
from headrace.dashboard.said import back
from headrace.engine import intake
from headrace.engine.intake import submit_sync
from headrace.errors import Conflict, HeadraceError, NeedsHuman
from headrace.http.guard import check_base
from headrace.rest.spec import RestSpec
from headrace.rest.specfile import BadSpec, place_in, read_spec
from headrace.store import connections, schedules
from headrace.store.database import Connection, as_owner
from headrace.store.visit import Visit

router = APIRouter(include_in_schema=False)

LONGEST = 200_000
"""Characters of a spec that a form takes."""

EVERY = {"": "when asked", "15m": "every 15 minutes", "1h": "every hour", "1d": "every day"}

EXAMPLE = """\
name: tickets
base_url: https://api.example.com/v1
auth: {bearer: true}
streams:
  tickets: {path: /tickets}
"""


class Mistake(msgspec.Struct):
    """What is wrong with a spec, in which line, and the lines around it with their numbers."""

    text: str
    line: int | None = None
    around: list[tuple[int, str]] = []


@page("/connect/api", "spec.html", lives=False)
def ask() -> Look:
    """Where a spec is pasted."""

    def look(session: Connection) -> dict[str, Any]:
        del session
        return _form(EXAMPLE)

    return look


@router.post("/connect/api")
def connect(
    request: Request,
    visitor: Acting,
    spec: Annotated[str, Form(max_length=LONGEST)] = "",
    key: Annotated[str, Form(max_length=10_000)] = "",
    every: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Connect the API and sync it, or show the mistake at its line."""
    try:
        read = read_spec(spec.encode())
        _check(read, spec, visitor)
        job_id = _connect(visitor, read, key.strip(), every if every in EVERY else "")
    except HeadraceError as error:
        found = _form(spec, every, _mistake(error, spec))
        return render.page("spec.html", {**found, **plain(request, visitor)}, 422)
    return back(f"/jobs/{job_id}", f"{read.name} is connected, and is being brought in.")


def _form(spec: str, every: str = "", mistake: Mistake | None = None) -> dict[str, Any]:
    return {"spec": spec, "every": EVERY, "chosen": every, "mistake": mistake}


def _check(read: RestSpec, text: str, visitor: Visit) -> None:
    """Raises BadSpec for what a caller's spec may not say."""
    if read.auth is not None and read.auth.env is not None:
        raise BadSpec(
            "auth.env: only an operator's spec may name a variable of this service.",
            hint="Leave it out, and put the key itself into its field here.",
            line=place_in(text, "auth", "env"),
        )
    try:
        check_base(URL(read.base_url), private_hosts=visitor.settings.headrace_private_hosts)
    except NeedsHuman as error:
        line = place_in(text, "base_url")
        raise BadSpec(error.message, hint=error.hint, line=line) from None


def _connect(visitor: Visit, read: RestSpec, key: str, every: str) -> str:
    wanted = intake.rest(read)
    wanted.secret = key or wanted.secret
    caller = visitor.caller
    with visitor.session() as session, as_owner(session):
        # Another spec under a name that is taken would be given that one's key.
        there = connections.called(session, caller.tenant, caller.user, wanted.name)
        if there is not None:
            raise Conflict(
                f"There is a source {wanted.name!r} already.", hint="Give this one another name."
            )
        row = intake.connect(
            session, caller.tenant, caller.user, wanted, visitor.settings, trusted=False
        )
        if every:
            schedules.own(session, row["connection_id"], cadence.parse(every), at_once=False)
        return str(submit_sync(session, row)["job_id"])


def _mistake(error: HeadraceError, text: str) -> Mistake:
    line = error.line if isinstance(error, BadSpec) else None
    if line is None:
        return Mistake(str(error))
    lines = list(enumerate(text.splitlines(), 1))
    return Mistake(str(error), line, lines[max(0, line - 3) : line + 2])
