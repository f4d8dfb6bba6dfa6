"""Any graph, and whatever befalls its jobs: what waits, goes on or is called off is what a few
lines of Python say, and nothing is on the queue twice."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.engine import again, graph, jobs
from headrace.engine.graph import Member
from headrace.engine.sync import Outcome
from headrace.errors import BadInput

if TYPE_CHECKING:
    from tests.engine.conftest import Bench

SIZE = 9
BAD = {"FAILED", "CANCELLED", "OFF"}
OVER = {*BAD, "SUCCEEDED"}


class Model:
    """What ought to be. A job is WAITING, QUEUED, or over; OFF is one that was cancelled because of
    another. `turns` counts how often each was taken up again."""

    def __init__(self) -> None:
        self.needs: dict[str, set[str]] = {}
        self.regardless: dict[str, bool] = {}
        self.connection: dict[str, str | None] = {}
        self.state: dict[str, str] = {}
        self.turns: dict[str, int] = {}
        self.queued: set[tuple[str, int]] = set()

    def add(self, job: str, needs: set[str], regardless: bool, connection: str | None) -> None:
        """A new job; those that were added before are older."""
        self.needs[job], self.regardless[job], self.connection[job] = needs, regardless, connection
        self.state[job], self.turns[job] = "WAITING", 1

    def settle(self) -> None:
        """Whatever follows, oldest first."""
        for job, needs in self.needs.items():
            if self.state[job] == "WAITING" and self._lost(job, needs):
                self.state[job] = "OFF"
        taken = {self.connection[job] for job in self.state if self.state[job] == "QUEUED"}
        for job, needs in self.needs.items():
            connection = self.connection[job]
            if self.state[job] != "WAITING" or (connection is not None and connection in taken):
                continue
            if all(self.state[one] in OVER for one in needs):
                self.state[job] = "QUEUED"
                self.queued.add((job, self.turns[job]))
                taken.add(connection)

    def _lost(self, job: str, needs: set[str]) -> bool:
        return not self.regardless[job] and any(self.state[one] in BAD for one in needs)

    def below(self, job: str) -> set[str]:
        """It and all that hangs on it."""
        found = {job}
        for one, needs in self.needs.items():
            if needs & found:
                found.add(one)
        return found

    def cancel(self, job: str, *, tree: bool) -> bool:
        found = {one for one in (self.below(job) if tree else {job}) if self.state[one] not in OVER}
        self.state.update(dict.fromkeys(found, "CANCELLED"))
        self.settle()
        return bool(found)

    def retry(self, job: str, *, tree: bool) -> bool:
        found = {one for one in (self.below(job) if tree else {job}) if self.state[one] in BAD}
        alone = not self.needs[job] and not any(job in needs for needs in self.needs.values())
        busy = {self.connection[one] for one in self.state if self.state[one] == "QUEUED"} - {None}
        if not tree and alone and self.connection[job] in busy:
            return False
        if not tree and not found:
            return False
        for one, needs in self.needs.items():
            if self.state[one] == "OFF" and not self.regardless[one] and needs & found:
                found.add(one)
        stuck: set[str] = set()
        for one in self.needs:
            if one in found and not self.regardless[one]:
                bad = {need for need in self.needs[one] if self.state[need] in BAD}
                if bad - (found - stuck):
                    stuck.add(one)
        if not found - stuck or (not tree and job in stuck):
            return False
        for one in found - stuck:
            self.state[one] = "WAITING"
            self.turns[one] += 1
        self.settle()
        return True


def seen(bench: Bench) -> tuple[dict[str, str], set[tuple[str, int]], dict[str, int]]:
    """The same of the database."""
    states, turns = {}, {}
    for row in bench.rows("SELECT * FROM headrace.jobs"):
        state = row["status"]
        if state == "PENDING":
            state = "WAITING" if row["waits"] else "QUEUED"
        elif row["stopped_by"] is not None:
            assert state == "CANCELLED"
            cause = bench.job(row["stopped_by"])
            assert row["stopped_by"] in row["last_error"]
            assert cause["status"] in ("FAILED", "CANCELLED")
            state = "OFF"
        states[row["job_id"]], turns[row["job_id"]] = state, row["turn"]
    queued = set()
    for row in bench.rows("SELECT workflow_uuid FROM dbos.workflow_status"):
        job, _, turn = row["workflow_uuid"].partition("/")
        queued.add((job, int(turn or 1)))
    return states, queued, turns


def finish(bench: Bench, job: str, ended: Outcome) -> str:
    """Run a job's turn to this end."""
    turn = bench.job(job)["turn"]
    run = jobs.begin(bench.database, job, turn, minutes=10)
    assert run is not None
    return jobs.conclude(bench.database, job, turn, run, ended)


def grow(bench: Bench, model: Model, random: Random, connections: list[str | None]) -> None:
    """Some jobs more: a graph that may hang on what there is, or one job after others."""
    there = [one for one in model.state if random.random() < 0.4]
    keys = [f"k{number}" for number in range(random.randint(1, SIZE))]
    members = []
    for number, key in enumerate(keys):
        after = [one for one in keys[:number] if random.random() < 0.3]
        after += [one for one in there if random.random() < 0.3]
        owner = random.choice(connections)
        regardless = random.random() < 0.25
        members.append(Member(key, "ann", "probe_sync", owner, after=after, regardless=regardless))
    lost = any(
        model.state.get(need) in BAD and not one.regardless for one in members for need in one.after
    )
    with bench.database.people("acme", "ann") as session:
        try:
            ids, new = graph.submit(session, "acme", members)
        except BadInput:
            assert lost
            return
    assert new
    assert not lost
    made = {ids[one.key]: one for one in members}
    rows = bench.rows(
        "SELECT job_id FROM headrace.jobs WHERE job_id = ANY(%s) ORDER BY created_at, job_id",
        list(made),
    )
    for row in rows:
        one = made[row["job_id"]]
        needs = {ids.get(need, need) for need in one.after}
        model.add(row["job_id"], needs, one.regardless, one.connection_id)
    model.settle()


def befall(bench: Bench, model: Model, random: Random) -> None:
    """One thing that happens to one job."""
    queued = [one for one in model.state if model.state[one] == "QUEUED"]
    job = random.choice(list(model.state))
    what = random.choice(["end", "end", "end", "end", "end", "cancel", "retry", "retry"])
    tree = random.random() < 0.4
    if what == "end":
        if queued:
            job = random.choice(queued)
            ended = Outcome("done") if random.random() < 0.6 else Outcome("human", error="No.")
            model.state[job] = finish(bench, job, ended)
            model.settle()
        return
    does = {
        ("cancel", False): again.cancel,
        ("cancel", True): again.cancel_tree,
        ("retry", False): again.retry,
        ("retry", True): again.retry_tree,
    }
    expected = model.cancel(job, tree=tree) if what == "cancel" else model.retry(job, tree=tree)
    try:
        with bench.database.people("acme", "ann") as session:
            does[(what, tree)](session, job)
        went = True
    except BadInput:
        went = False
    assert went == expected, (what, tree, model.state[job])


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_whatever_befalls_a_graph(bench: Bench, seed: int) -> None:
    """Covers A3.44: any graphs, also one hung on another, any ends, cancels and retries, of one job
    or of all that hangs on it, with connections that are free or not. After each, every job is as
    the model says, and what is on the queue was put there once for each time it was taken up."""
    random = Random(seed)
    with bench.database.transaction() as session:
        session.execute("TRUNCATE headrace.jobs, headrace.job_needs")
        session.execute("DELETE FROM dbos.workflow_status")
    connections = [None, *(bench.connect(name)["connection_id"] for name in ("one", "two"))]
    model = Model()
    grow(bench, model, random, connections)
    while not model.state:
        grow(bench, model, random, connections)
    for _ in range(random.randint(4, 24)):
        if random.random() < 0.1:
            grow(bench, model, random, connections)
        befall(bench, model, random)
        assert seen(bench) == (model.state, model.queued, model.turns)
