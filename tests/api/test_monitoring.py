"""The dashboard and the rules in examples/monitoring ask only for what /metrics tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from headrace.api import create_app
from headrace.provider import Record
from headrace.settings import Settings
from headrace.store import keys

if TYPE_CHECKING:
    from tests.api.conftest import House
    from tests.valkey import Valkey

ROOT = Path(__file__).parents[2] / "examples" / "monitoring"
BOARD, RULES = ROOT / "headrace-dashboard.json", ROOT / "headrace-alerts.yml"

_PROMETHEUS_OWN = {"job", "instance"}
_METRIC = re.compile(r"\b((?:headrace|process)_\w+)\b(?:\{([^}]*)\})?")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")

Known = dict[str, dict[str, set[str]]]


@pytest.fixture
def known(house: House, valkey: Valkey) -> Known:
    """Every name that /metrics tells of, with its labels and their values."""
    connection = house.connection()
    house.land(house.stream(connection), Record("e1", b"{}"))
    house.execute(
        "INSERT INTO headrace.allowances (tenant_id, user_id, allowance, spent_until)"
        " VALUES ('acme', 'ann', 'rest:1', now())"
    )
    house.execute("INSERT INTO headrace.retention (subject, passed_at) VALUES ('jobs', now())")
    settings = Settings(_env_file=None, redis_url=valkey.url)
    found: Known = {}
    with TestClient(create_app(house.store, settings)) as client:
        client.headers["X-API-Key"] = house.key(keys.TENANT, keys.USER)
        client.get("/api/jobs")
        for family in text_string_to_metric_families(client.get("/metrics").text):
            assert family.samples, f"{family.name} is told of nothing here: nothing can be checked"
            for one in family.samples:
                labels = found.setdefault(one.name, {})
                for label, value in one.labels.items():
                    labels.setdefault(label, set()).add(value)
    return found


def _expressions() -> Iterator[tuple[str, str]]:
    for panel in json.loads(BOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for rule in _rules():
        yield rule["alert"], rule["expr"]


def _rules() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]
    return rules


def _wrong(expression: str, known: Known) -> Iterator[str]:
    for name, selector in _METRIC.findall(expression):
        if name not in known:
            yield f"there is no {name}"
            continue
        for label, how, value in re.findall(r"(\w+)\s*(=~|=)\s*\"([^\"]*)\"", selector):
            if label in _PROMETHEUS_OWN:
                continue
            if label not in known[name]:
                yield f"{name} has no {label}"
            elif how == "=" and label != "status" and value not in known[name][label]:
                yield f"{name} is never told with {label}={value}"
        grouped = {one.strip() for by in _GROUPED.findall(expression) for one in by.split(",")}
        for label in grouped - set(known[name]) - _PROMETHEUS_OWN:
            yield f"{name} has no {label} to group by"


def test_they_ask_for_what_there_is(known: Known) -> None:
    """Covers A3.45: every name, every label, every fixed value of one."""
    asked = list(_expressions())
    assert len(asked) > 40
    found = [(title, one) for title, each in asked for one in _wrong(each, known)]
    assert found == []


def test_a_mistake_would_be_found(known: Known) -> None:
    """A name, a label, a value and a grouping that are wrong, each."""
    for expression in (
        "headrace_job",
        'headrace_jobs{stage="embed"}',
        'headrace_connections{health="fine"}',
        "max by (provider) (headrace_jobs)",
    ):
        assert len(list(_wrong(expression, known))) == 1, expression


def test_everything_that_is_told_is_shown(known: Known) -> None:
    """Nothing is counted that nobody can see, but for what a panel shows the other half of."""
    text = " ".join(expression for _, expression in _expressions())
    shown = set(_METRIC.findall(text))
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for name, _ in shown}
    told = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known}
    assert {one for one in told if one.startswith("headrace_")} - names == {
        "headrace_info",  # the board's variable asks for it
        "headrace_allowances",
        "headrace_retention_removed_bytes_total",
        "headrace_redis_entries",
    }


def test_each_rule_says_what_to_do() -> None:
    """Covers A3.46: what has happened, and what to do about it."""
    rules = _rules()
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 10
    for rule in rules:
        assert set(rule["annotations"]) == {"summary", "hint"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_panels_stand_beside_one_another() -> None:
    """No two in the same place, none without a question, each number of its own."""
    panels = json.loads(BOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (column, row)
            for column in range(at["x"], at["x"] + at["w"])
            for row in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
        assert panel["type"] == "row" or panel["targets"], panel["title"]
