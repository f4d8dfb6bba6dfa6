"""Graphs of jobs: one job after others, many in one request, and the picture of them.

The jobs of a graph are always new ones. Where a connection has a job under way, one of a graph
waits for its turn: so a graph may name a connection often, and no schedule is in its way.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.engine import needs
from headrace.errors import BadInput
from headrace.store import jobs
from headrace.store.database import Connection
from headrace.store.jobs import JobRow
from headrace.store.sql import query

MOST = 1000
"""Jobs that one request may make, and that one picture shows."""

_KEYED = uuid.UUID("6f0b9a52-0f6c-4b0e-9d5c-6a0f3c1f8a31")
"""Namespace of the ids of jobs that were made with an idempotency key."""


class UnknownJob(BadInput):
    """A job that is to be waited for is not there, or not the caller's."""


class KeyUsed(BadInput):
    """An idempotency key that has made something else."""


class Member(msgspec.Struct):
    """One job of a graph, by a key of the caller's. `after` names keys of the graph, or jobs that
    there are already."""

    key: str
    user: str
    kind: str
    connection_id: str | None = None
    payload: dict[str, Any] = {}
    priority: str = "medium"
    deadline_seconds: int | None = None
    after: list[str] = []
    regardless: bool = False


def submit_after(
    connection: Connection,
    tenant: str,
    after: Sequence[str],
    regardless: bool,
    wanted: dict[str, Any],
) -> tuple[JobRow, bool]:
    """One job that waits for others; see `jobs.submit`."""
    held = needs.hold(connection, tenant, after, regardless=after if regardless else ())
    for one in after:
        if one not in held:
            raise UnknownJob(f"There is no job {one}.", hint="`after` takes the ids of jobs.")
    row, new = jobs.create(
        connection, tenant=tenant, waits=True, younger_than=max(held.values()), **wanted
    )
    if new:
        job_id, owner = row["job_id"], row["user_id"]
        edges = [(owner, job_id, one, regardless) for one in held]
        needs.begin(connection, tenant, [(job_id, owner, row["connection_id"])], edges)
        row = jobs.get(connection, job_id) or row
    return row, new


def submit(
    connection: Connection,
    tenant: str,
    members: Sequence[Member],
    *,
    idempotency_key: str | None = None,
) -> tuple[dict[str, str], bool]:
    """Make the jobs of a graph in the caller's transaction: their ids by key, and whether they are
    new. The same idempotency key: the same jobs.

    Raises BadInput where two have one key, they wait for one another in a circle, or for what is
    neither of them nor a job that the caller sees; KeyUsed where the key has made something else.
    """
    places = _places(members)
    ids = _ids(tenant, members, idempotency_key)
    outside = sorted({one for member in members for one in member.after if one not in ids})
    strict = {one for member in members if not member.regardless for one in member.after}
    held = needs.hold(connection, tenant, outside, regardless=set(outside) - strict)
    for member in members:
        if missing := [one for one in member.after if one not in ids and one not in held]:
            raise BadInput(
                f"Job {member.key!r} is to wait for {missing[0]!r}, which there is not.",
                hint="`after` takes keys of the same graph and ids of jobs.",
            )
    values = {
        "tenant": tenant,
        "younger_than": max(held.values(), default=None),
        "owners": [one.user for one in members],
        "job_ids": list(ids.values()),
        "kinds": [one.kind for one in members],
        "connections": [one.connection_id for one in members],
        "payloads": [json.dumps(one.payload) for one in members],
        "priorities": [one.priority for one in members],
        "deadlines": [one.deadline_seconds for one in members],
        "idempotency_keys": [idempotency_key, *[None] * (len(members) - 1)],
        "places": [places[one.key] for one in members],
    }
    made = connection.execute(query("needs", "add_jobs"), values).fetchall()
    if len(made) < len(members):
        return ids, _made_before(made, connection, ids, idempotency_key)
    edges = [
        (one.user, ids[one.key], ids.get(need, need), one.regardless)
        for one in members
        for need in one.after
    ]
    new = [(ids[one.key], one.user, one.connection_id) for one in members]
    needs.begin(connection, tenant, new, edges)
    return ids, True


def picture(connection: Connection, job_id: str) -> dict[str, Any]:
    """All jobs that hang together with this one, as far as the caller may see: `nodes`, those that
    come first before the others; `edges`; and whether there are more, nearest first, than MOST."""
    values = {"job_id": job_id, "limit": MOST + 1}
    nodes = connection.execute(query("needs", "connected"), values).fetchall()
    shown = nodes[:MOST]
    named = {"job_ids": [node["job_id"] for node in shown]}
    edges = connection.execute(query("needs", "edges"), named).fetchall()
    return {"nodes": shown, "edges": edges, "truncated": len(nodes) > MOST}


def depths(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How deep each node stands below those that wait for nothing: the length of the longest way to
    it. Edges lead from what comes first. Nodes of a circle, and below one, are not in it."""
    below: dict[str, list[str]] = {one: [] for one in nodes}
    open_ = dict.fromkeys(nodes, 0)
    for first, then in edges:
        below[first].append(then)
        open_[then] += 1
    deep = {one: 0 for one, count in open_.items() if not count}
    ready = list(deep)
    for one in ready:
        for then in below[one]:
            deep[then] = max(deep.get(then, 0), deep[one] + 1)
            open_[then] -= 1
            if not open_[then]:
                ready.append(then)
    return {one: deep[one] for one in ready}


def _places(members: Sequence[Member]) -> dict[str, int]:
    """An order in which each job stands after those that it waits for, and else as it was named.
    Raises BadInput for a graph that is none."""
    keys: dict[str, Member] = {}
    for one in members:
        if one.key in keys:
            raise BadInput(
                f"Two jobs of the graph have the key {one.key!r}.",
                hint="Give each a key of its own.",
            )
        if one.key in one.after:
            raise BadInput(
                f"Job {one.key!r} is to wait for itself.", hint="Leave its own key out of `after`."
            )
        keys[one.key] = one
    edges = [(need, one.key) for one in members for need in set(one.after) if need in keys]
    levels = depths(list(keys), edges)
    if len(levels) < len(keys):
        raise BadInput(
            "The jobs are to wait for one another in a circle:"
            f" {' waits for '.join(_circle(keys, levels))}.",
            hint="Leave out one of these `after`.",
        )
    order = sorted(keys, key=lambda key: levels[key])
    return {key: place for place, key in enumerate(order)}


def _circle(keys: dict[str, Member], placed: dict[str, int]) -> list[str]:
    """One way round: every job that has no place waits for another that has none."""
    way = [next(key for key in keys if key not in placed)]
    while way[-1] not in way[:-1]:
        way.append(next(n for n in keys[way[-1]].after if n in keys and n not in placed))
    return [repr(one) for one in way[way.index(way[-1]) :]]


def _ids(tenant: str, members: Sequence[Member], idempotency_key: str | None) -> dict[str, str]:
    """The ids of new jobs, by key. With an idempotency key they follow from what is asked for: so
    asking again names the same jobs, and another graph has none of them."""
    if idempotency_key is None:
        return {one.key: str(uuid.uuid4()) for one in members}
    asked = [tenant, idempotency_key, msgspec.to_builtins(list(members))]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return {one.key: str(uuid.uuid5(_KEYED, f"{digest} {one.key}")) for one in members}


def _made_before(
    made: Sequence[JobRow], connection: Connection, ids: dict[str, str], key: str | None
) -> bool:
    """False, for the same request has made the same jobs before. Raises KeyUsed otherwise."""
    first = jobs.get(connection, next(iter(ids.values())))
    if made or first is None or first["idempotency_key"] != key:
        raise KeyUsed(
            "This Idempotency-Key has made something else.",
            hint="Use a new key for a new graph, and the same body with the same key.",
        )
    return False
