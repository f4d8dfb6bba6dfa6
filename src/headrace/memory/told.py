"""What a memory engine is told of an interaction: who said what to whom, and when."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from headrace.text import text_to_embed

_LONGEST = 20_000
"""Characters of a text that are told; memory engines put them before a language model."""

_NAMES_SHOWN = 5


def record(keys: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The values for a shape's places. `row` has a source_id and a version, and of what is to be
    added everything else as well."""
    whole = f"{keys['tenant']}\n{keys['stream_id']}\n{row['source_id']}"
    when = row.get("occurred_at")
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, whole)),
        "key": hashlib.sha256(f"{whole}\n{row['version']}".encode()).hexdigest(),
        "version": row["version"],
        "text": _text(row) if "kind" in row else "",
        "source": row.get("source"),
        "kind": row.get("kind"),
        "subject": row.get("subject"),
        "occurred_at": None if when is None else when.isoformat(),
        "thread": row.get("thread_id"),
        "from_name": row.get("from_name"),
        "from_address": row.get("from_address"),
    }


def _text(row: Mapping[str, Any]) -> str:
    name, address = row["from_name"], row["from_address"]
    sender = f"{name} <{address}>" if name and address else name or address or "somebody"
    to = row["to_addresses"][:_NAMES_SHOWN]
    more = len(row["to_addresses"]) - len(to)
    receivers = ", ".join(to) + (f" and {more} more" if more else "")
    when = f" on {row['occurred_at']:%Y-%m-%d %H:%M} UTC" if row["occurred_at"] else ""
    said = text_to_embed(row["subject"], row["unquoted"], row["body"])
    head = f"{sender} to {receivers}{when}" if receivers else f"{sender}{when}"
    return f"{head}\n{said}"[:_LONGEST]
