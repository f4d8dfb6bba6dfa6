"""How a Redis is, for people who look."""

from __future__ import annotations

from typing import Any

import redis

from headrace.redis_streams import DEAD, GROUP, JOBS
from headrace.redis_streams.server import AWAY, Server, described, text


def look(url: str | None, *, patience: float = 3.0) -> dict[str, Any]:
    """What the Redis of this URL says of the streams: whether it answers, and how many entries have
    not been read (`lag`), not been acknowledged (`pending`), or been put aside (`dead`); nothing
    without a URL. Raises BadInput for one that cannot be used."""
    if url is None:
        return {}
    server = Server(url)
    try:
        with server.client(patience=patience) as client:
            return {"address": server.address, "answers": True, **_facts(client)}
    except AWAY as error:
        said, hint = described(error)
        return {"address": server.address, "answers": False, "error": said, "hint": hint}


def words(found: dict[str, Any]) -> str:
    """The same in a line."""
    if not found:
        return "none"
    if not found["answers"]:
        return f"{found['address']} does not answer: {found['error']} {found['hint']}"
    counts = ", ".join(f"{name} {found[name]}" for name in ("lag", "pending", "dead"))
    return f"{found['server']} at {found['address']}: {counts}"


def _facts(client: redis.Redis) -> dict[str, Any]:
    info: Any = client.info("server")
    name = "valkey" if "valkey_version" in info else "redis"
    facts: dict[str, Any] = {"server": f"{name} {info.get(f'{name}_version', '')}".strip()}
    entries: Any = client.xlen(JOBS)
    facts |= {"entries": entries, "lag": entries, "pending": 0, "dead": client.xlen(DEAD)}
    groups: Any = client.xinfo_groups(JOBS) if entries or client.exists(JOBS) else []
    for group in groups:
        if text(group["name"]) == GROUP:
            lag = group.get("lag")
            facts |= {"lag": "unknown" if lag is None else lag, "pending": group["pending"]}
    return facts
