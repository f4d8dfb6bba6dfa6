"""Jobs that hang together, drawn: who comes first stands left, arrows go to those that wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.engine.graph import depths

WIDTH, HEIGHT, GAP, LANE = 180, 44, 46, 14
"""Pixels of a box, between two columns, between two rows."""
MOST = 200
"""Jobs that are drawn: more cannot be told apart."""


class Box(msgspec.Struct):
    """One job, and where its box begins."""

    job_id: str
    name: str
    status: str
    x: int
    y: int
    here: bool


class Drawing(msgspec.Struct):
    """The boxes, the curves between them, and how large it all is."""

    boxes: list[Box]
    curves: list[str]
    width: int
    height: int
    left_out: bool


def drawn(picture: Mapping[str, Any], here: str) -> Drawing | None:
    """What `graph.picture` tells, placed; None of a job that is alone."""
    nodes = picture["nodes"][:MOST]
    if len(nodes) < 2:
        return None
    shown = {node["job_id"] for node in nodes}
    pairs = [(one["source"], one["target"]) for one in picture["edges"]]
    pairs = [pair for pair in pairs if shown.issuperset(pair)]
    columns = depths([node["job_id"] for node in nodes], pairs)
    filled: dict[int, int] = {}
    boxes: dict[str, Box] = {}
    for node in nodes:
        name, column = node["job_id"], columns[node["job_id"]]
        row = filled[column] = filled.get(column, -1) + 1
        x, y = column * (WIDTH + GAP) + 1, row * (HEIGHT + LANE) + 1
        boxes[name] = Box(
            name, node["connection"] or node["kind"], node["status"], x, y, name == here
        )
    curves = [_curve(boxes[first], boxes[then]) for first, then in pairs]
    return Drawing(
        list(boxes.values()),
        curves,
        max(box.x for box in boxes.values()) + WIDTH + 1,
        max(box.y for box in boxes.values()) + HEIGHT + 1,
        picture["truncated"] or len(picture["nodes"]) > MOST,
    )


def _curve(first: Box, then: Box) -> str:
    x1, y1 = first.x + WIDTH, first.y + HEIGHT // 2
    x2, y2 = then.x, then.y + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
