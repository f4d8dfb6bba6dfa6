"""Jobs for insights: durable, cancelled, asked for by a stage, by the week, or by a person."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.embedding.endpoint import Said, serving
from tests.insights.conftest import STREAM, TENANT, USER, answer, said

from headrace import plugins
from headrace.engine import insight, jobs, unasked
from headrace.engine.runtime import engine
from headrace.errors import BadInput
from headrace.insight import Told
from headrace.prompt import SCHEMA, prompt_hash
from headrace.settings import Settings
from headrace.stage import Batch, StreamContext
from headrace.stages.insight import insight as stage
from headrace.store import connections
from headrace.store.checkpoints import Cancelled

if TYPE_CHECKING:
    from tests.insights.conftest import Desk

Model = Callable[..., dict[str, Any]]


def threads(desk: Desk, number: int) -> None:
    """So many threads of two messages each."""
    for n in range(number):
        desk.mail(f"{n}a", "The boat is for sale.", thread=f"t{n}", ago=9 + n)
        desk.mail(f"{n}b", "When can I see the boat?", thread=f"t{n}", ago=8 + n)


def test_a_leg_that_is_run_again_makes_nothing_twice(desk: Desk, model: Model) -> None:
    """Covers A1.52: what died after some insights goes on after them."""
    threads(desk, 3)
    told: list[str] = []

    def dies(request: dict[str, Any], number: int) -> Said:
        told.append(request["messages"][1]["content"])
        return Said({}, 500) if number in (1, 2) else said(answer())

    with serving(dies) as endpoint:
        job_id = desk.submit("thread_summary")
        ended = desk.leg(job_id, **model(endpoint.url))
        assert (ended.state, ended.inserted) == ("retry", 1)
        summary = desk.job(job_id)["summary"]
        assert (summary["made"], len(summary["left"])) == (1, 2)
        assert desk.leg(job_id, **model(endpoint.url)).state == "done"
    assert len(desk.made(job_id)) == 3
    assert told[0] not in told[1:]
    assert desk.job(job_id)["summary"]["left"] is None


def test_nothing_of_a_cancelled_job_is_kept(desk: Desk, talk: None, model: Model) -> None:
    def cancels(*_: Any) -> Said:
        with desk.database.transaction() as session:
            jobs.cancel(session, job_id)
        return said(answer())

    job_id = desk.submit("thread_summary")
    with serving(cancels) as endpoint, pytest.raises(Cancelled):
        desk.leg(job_id, **model(endpoint.url))
    assert desk.made(job_id) == []
    assert desk.job(job_id)["status"] == "CANCELLED"


def test_one_subject_that_fails_is_alone(
    desk: Desk, talk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Covers A1.54."""
    threads(desk, 1)
    whole = plugins.insight_kinds()["thread_summary"]

    def rules(gathered: Any) -> Told:
        if gathered.subject == "thread:t1":
            raise ZeroDivisionError
        return whole.rules(gathered)

    broken = msgspec.structs.replace(whole, rules=rules)
    monkeypatch.setitem(plugins.insight_kinds(), "thread_summary", broken)
    job_id = desk.submit("thread_summary")
    assert desk.leg(job_id).state == "done"
    assert [one["subject"] for one in desk.made(job_id)] == ["thread:t0"]
    assert "ZeroDivisionError" in desk.job(job_id)["summary"]["notes"][0]


def test_the_engine_makes_them(desk: Desk, talk: None, model: Model, tmp_path: Path) -> None:
    """Covers A1.23, A1.35, A3.34: a job of the kind `insight`, to its end."""
    busy = Said({}, 429, {"Retry-After": "1"})
    with serving(lambda _, n: busy if n == 0 else said(answer())) as endpoint:
        settings = Settings(_env_file=None, headrace_home=tmp_path, **model(endpoint.url))
        with engine(desk.database.url, settings):
            job_id = desk.submit("thread_summary")
            until = time.monotonic() + 60
            while (row := desk.job(job_id))["status"] not in ("SUCCEEDED", "FAILED"):
                assert time.monotonic() < until, row
                time.sleep(0.05)
    assert row["status"] == "SUCCEEDED"
    assert row["summary"]["made"] == 1
    assert row["summary"]["tokens"] == 100
    [made] = desk.made(job_id)
    assert made["made_by"].endswith("/small")


def run_stage(desk: Desk, number: int, kinds: str = "") -> None:
    """The stage on a batch, in a transaction of its own."""
    settings = Settings(_env_file=None, headrace_insights=kinds)
    batch: Batch[Any] = Batch(
        batch_id=number,
        tenant=TENANT,
        user=USER,
        stream_id=STREAM,
        job_id="j",
        stream=StreamContext("gmail", "mail", "message/rfc822", "{}"),
        settings=settings,
        read=lambda *_: [],
        trusted=True,
        secret=lambda: None,
        hold=lambda _: pytest.fail("nothing is held"),
    )
    with desk.database.transaction() as session:
        stage.run(batch).write(session)


def submitted(desk: Desk) -> list[list[str]]:
    found = desk.rows("SELECT payload FROM headrace.jobs ORDER BY created_at")
    return [[one["kind"] for one in row["payload"]["wanted"]] for row in found]


def test_off_by_default(desk: Desk, talk: None) -> None:
    """Covers X7, A3.14."""
    run_stage(desk, 1)
    assert desk.rows("SELECT 1 FROM headrace.insights_wanted") == []
    assert unasked.look(desk.database, Settings(_env_file=None), patience=0) == 0
    assert submitted(desk) == []


def test_switched_on_what_comes_in_makes_one_job(desk: Desk, talk: None) -> None:
    """Covers X7: however many batches there were, and not before they had some time."""
    settings = Settings(_env_file=None, headrace_insights="thread_summary, lead_score")
    for _ in range(3):
        run_stage(desk, 1, settings.headrace_insights)
    run_stage(desk, 99, settings.headrace_insights)  # it brought no interactions
    assert unasked.look(desk.database, settings, patience=60) == 0
    assert unasked.look(desk.database, settings, patience=0) == 1
    assert unasked.look(desk.database, settings, patience=0) == 0
    assert submitted(desk) == [["lead_score", "thread_summary"]]


def test_the_weekly_digest_is_made_once_a_week(desk: Desk) -> None:
    """Covers X7: for everybody who has a connection, whoever looks how often."""
    with desk.database.transaction() as session:
        for name in ("one", "two"):
            connections.save(
                session, tenant=TENANT, user=USER, provider="mailbox", name=name, config={}
            )
    settings = Settings(_env_file=None, headrace_insights="all")
    for _ in range(2):
        unasked.look(desk.database, settings)
    assert submitted(desk) == [["weekly_digest"]]
    desk.rows("UPDATE headrace.jobs SET idempotency_key = 'that was last week'")
    unasked.look(desk.database, settings)
    assert len(submitted(desk)) == 2


def test_a_kind_that_is_misspelt_stops_the_start(desk: Desk, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, headrace_home=tmp_path, headrace_insights="lead_scor")
    with pytest.raises(BadInput) as refused, engine(desk.database.url, settings):
        pass
    assert refused.value.hint == "Did you mean lead_score?"


def gone(desk: Desk, source_id: str, version: int, batch: int) -> None:
    desk.rows(
        "INSERT INTO headrace.raw_events (tenant_id, user_id, stream_id, source_id, version,"
        " content_hash, payload, batch_id) VALUES (%s, %s, %s, %s, %s, '', '', %s)",
        *(TENANT, USER, STREAM, source_id, version, batch),
    )


def test_what_quotes_a_deleted_message_goes_with_it(desk: Desk, talk: None) -> None:
    """Also where insights are off; what quotes it as it came back stays."""
    [made] = desk.make("thread_summary")
    gone(desk, "m1", 1, 50)
    run_stage(desk, 50)
    assert desk.made(made["job_id"]) != []
    gone(desk, "m1", 2, 51)
    run_stage(desk, 51)
    assert desk.made(made["job_id"]) == []


def test_the_schema_is_the_one_that_is_checked() -> None:
    """What the model is asked for is what is taken: the same fields, the same priorities."""
    fields = {one.name for one in msgspec.structs.fields(Told)}
    assert set(SCHEMA["properties"]) == set(SCHEMA["required"]) == fields
    [checked] = (
        msgspec.json.schema_components([Told])[1]["Told"]["properties"]["priority"]["enum"],
    )
    assert sorted(SCHEMA["properties"]["priority"]["enum"]) == sorted(checked)


def test_a_prompt_is_named_by_its_words() -> None:
    one, two = list(plugins.insight_kinds().values())[:2]
    assert prompt_hash(one) != prompt_hash(two)
    assert prompt_hash(one) != prompt_hash(msgspec.structs.replace(one, prompt="Sing."))
    assert insight.KIND == "insight"
