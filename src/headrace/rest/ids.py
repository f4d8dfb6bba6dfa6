"""Record ids as canonical text (R14): `7` and `"7"` are one id, `0` is an id, `""` is none."""

from __future__ import annotations

import hashlib

from headrace.text import clean_text

MAX_ID = 512
"""Characters of an id. PostgreSQL cannot index a value of some thousand bytes."""


def canonical_id(value: object) -> str:
    """The text of an id. Raises ValueError with a reason for what cannot be one.

    Text that PostgreSQL would refuse is cleaned; a short hash keeps two such ids apart.
    """
    if isinstance(value, str):
        if not value:
            raise ValueError("is empty")
        if len(value) > MAX_ID:
            raise ValueError(f"is longer than {MAX_ID} characters")
        cleaned = clean_text(value)
        if cleaned == value:
            return value
        exact = value.encode("utf-8", "surrogatepass")
        return f"{cleaned}~{hashlib.sha256(exact).hexdigest()[:8]}"
    if isinstance(value, bool):
        raise ValueError("is true or false")
    if isinstance(value, int):
        if abs(value) >= 10**MAX_ID:
            raise ValueError(f"is longer than {MAX_ID} digits")
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, float):
        raise ValueError("is a fraction")
    raise ValueError("is missing" if value is None else "is not a text or a number")
