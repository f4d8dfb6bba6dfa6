"""`headrace check --live`: whether work gets through the system that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.engine.queues import QUEUES

if TYPE_CHECKING:
    from tests.cli.command import House


def test_a_probe_through_each_queue(house: House) -> None:
    """Covers A3.27: nobody there is said, and fails; with a worker every queue answers."""
    lost = house.run("check", "--live", "--seconds", "0.3")
    assert lost.code == 69
    assert "No worker is alive" in lost.err
    assert "headrace worker" in lost.err
    worker = house.start("worker", "--json")
    worker.says("jobs_at_once")
    found = house.json("check", "--live")
    assert set(found["live"]) == set(QUEUES)
    assert all(0 < took < 30 for took in found["live"].values())
    assert found["workers"] == 1
    told = house.run("check", "--live").ok().out
    assert "headrace_stages" in told
    assert told.endswith("All is well.\n")
