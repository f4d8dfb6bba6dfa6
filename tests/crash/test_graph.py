"""A graph of jobs whose workers are killed between them: it ends, and each job has run once."""

from __future__ import annotations

from collections.abc import Callable

from tests.crash.rounds import rounds
from tests.crash.world import World

from headrace.engine import graph, intake
from headrace.engine.graph import Member
from headrace.settings import load
from headrace.store.database import Database

MIDDLE = ["b1", "b2", "b3"]
ORDER = """
SELECT count(*)::int FROM headrace.job_needs n
JOIN headrace.jobs j USING (job_id) JOIN headrace.jobs a ON a.job_id = n.needs_job_id
WHERE j.status = 'SUCCEEDED' AND j.started_at >= a.completed_at
"""


def submit(world: World) -> dict[str, str]:
    """A job, three after it, and one after the three, each of a connection of its own."""
    store = Database(world.database, connections=1).open()
    try:
        with store.transaction() as session:
            made = []
            for key in ("a", *MIDDLE, "c"):
                spec = world.commands.home / f"{key}.yaml"
                spec.write_text(world.source.spec.replace("name: events", f"name: {key}"), "utf-8")
                row = intake.connect(session, "default", "me", intake.rest_spec(spec), load())
                after = ["a"] if key in MIDDLE else MIDDLE if key == "c" else []
                made.append(Member(key, "me", "rest_sync", row["connection_id"], after=after))
            return graph.submit(session, "default", made)[0]
    finally:
        store.close()


def test_a_graph_outlives_its_workers(worlds: Callable[..., World]) -> None:
    """Covers A3.44, A2.34: killed in the transaction that ends a job and releases what waits, right
    after it, and before the last; then a worker that lives."""
    for _ in rounds(1, 20):
        world = worlds(total=300)
        ids = submit(world)
        for crash in ("in-conclude:1", "after-conclude:1", "before-conclude:2"):
            world.commands.start("worker", crash=crash).dies(crash)
            world.tally.kills += 1
        world.commands.start("worker")
        world.wait(lambda: world.over)  # noqa: B023 - called at once
        rows = world.query("SELECT job_id, status, turn FROM headrace.jobs")
        assert sorted(rows) == sorted((one, "SUCCEEDED", 1) for one in ids.values())
        assert world.query(ORDER) == [(6,)]
        workflows = world.query(
            "SELECT count(*)::int FROM dbos.workflow_status WHERE name = 'headrace.job'"
        )
        assert workflows == [(len(ids),)]
        raw = world.query("SELECT sum(inserted)::int, sum(fetched)::int FROM headrace.batches")
        assert raw == [(5 * world.source.total, 5 * world.source.total)]
        world.tally.rounds += 1
