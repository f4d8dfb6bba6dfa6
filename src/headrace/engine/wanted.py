"""A connection somebody wants, before it is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel


class Wanted(msgspec.Struct):
    """A connection somebody wants: its provider and config, and a credential to seal if it has."""

    provider: str
    name: str
    config: dict[str, Any]
    secret: str | None = None
    addresses: Sequence[str] = ()


def plain(config: BaseModel) -> dict[str, Any]:
    """A configuration as it is kept: what is not the default."""
    return config.model_dump(mode="json", exclude_defaults=True, by_alias=True)


def full_path(path: Path) -> Path | None:
    """The path from the root; None where it begins with the home of somebody who has none."""
    try:
        return path.expanduser().resolve()
    except (RuntimeError, OSError, ValueError):
        return None
