"""Why two identities may be one person's, in words: the evidence of a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMES = {
    "equal": "the same name",
    "compatible": "names that fit each other",
    "loose": "names that may be short for each other",
    "similar": "names that are nearly the same",
}


def evidence(found: Mapping[str, Any] | None) -> str:
    """The reasons, the strongest first; nothing where a person has said so."""
    told = found or {}
    reasons = []
    if told.get("records"):
        reasons.append(f"a source names both as one in {told['records']:,} records")
    if words := _NAMES.get(str(told.get("name"))):
        similar = told.get("similarity")
        alike = f" ({similar:.0%} alike)" if similar and similar < 1 else ""
        reasons.append(words + alike)
    if told.get("domain"):
        reasons.append(f"both at {told['domain']}")
    local = [one for one in told.get("local") or () if one]
    if len(local) == 2:
        same = local[0] == local[1]
        reasons.append(f"both write {local[0]}" if same else f"{local[0]} and {local[1]}")
    return "; ".join(reasons)
