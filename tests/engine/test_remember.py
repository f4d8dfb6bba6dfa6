"""Memory engines: told of everything once, of edits and deletions too, and of nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.memory_engine import Engine, Server

from headrace import plugins
from headrace.engine import state, sweep
from headrace.engine.cascade import run_stage
from headrace.errors import BadInput, NeedsHuman, Retry
from headrace.memory.shape import names, read
from headrace.provider import Record
from headrace.settings import Settings
from headrace.stages import remember as stage_module
from headrace.store import memories
from headrace.vault import Vault

if TYPE_CHECKING:
    from tests.engine.conftest import Trail

MAIL = "message/rfc822"
NORMALISE, REMEMBER = "normalize_mail", "remember"

SHAPES = names()
FORGETFUL = {"graphiti", "honcho"}
"""Engines that cannot be made to forget."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        yield made


class Told:
    """Mails landed, normalised and told, without the engine of jobs."""

    def __init__(self, trail: Trail, engine: Engine) -> None:
        self.trail = trail
        self.engine = engine

    def land(self, *records: Record) -> int:
        return self.trail.land_one(*records, content=MAIL)

    def tell(self, *batches: int) -> None:
        for number in batches:
            for name in (NORMALISE, REMEMBER):
                run_stage(self.trail.bench.database, name, number)

    def letters(self) -> list[str]:
        rows = self.trail.bench.rows("SELECT source_id FROM headrace.dead_letters ORDER BY 1")
        return [row["source_id"] for row in rows]


@pytest.fixture
def told(trail: Trail, server: Server, tmp_path: Path) -> Iterator[Callable[..., Told]]:
    def made(shape: str = "headrace", **more: Any) -> Told:
        settings = Settings(
            _env_file=None,
            headrace_home=tmp_path,
            memory_engine_url=f"{server.url}/{shape}",
            memory_engine_shape=shape,
            **more,
        )
        state.enter(state.State(trail.bench.database, settings, Vault.from_settings(settings)))
        return Told(trail, server.engine)

    yield made
    plugins.choose(Settings(_env_file=None))


def mail(name: str, text: str, **headers: str) -> Record:
    lines = [
        "From: Bob <bob@example.com>",
        "To: ann@example.com",
        "Date: Mon, 2 Mar 2026 10:00:00 +0000",
        f"Subject: {name}",
        *[f"{one.replace('_', '-')}: {value}" for one, value in headers.items()],
    ]
    return Record(name, ("\r\n".join(lines) + f"\r\n\r\n{text}\r\n").encode())


@pytest.mark.parametrize("shape", SHAPES)
def test_each_is_told_in_its_own_shape(told: Callable[..., Told], shape: str) -> None:
    """Covers A0.8, A0.11, A0.20, A0.25: added, edited, deleted; and told again, nothing happens."""
    one = told(shape, memory_engine_key="k-123", memory_engine_space="{tenant}-{user}")
    first = one.land(mail("a", "one"), mail("b", "two"), mail("c", "three"))
    one.tell(first)
    assert one.engine.texts() == ["one", "three", "two"]
    assert {kept["space"] for kept in one.engine.kept.values()} == {"acme-ann"}
    assert all("k-123" in (secret or "") for secret in one.engine.secrets)
    asked = len(one.engine.asked)
    one.tell(first)
    assert len(one.engine.asked) == asked
    one.tell(one.land(mail("a", "other"), Record("b", b"", gone=True)))
    left = ["other", "three"] if shape not in FORGETFUL else ["one", "other", "three", "two"]
    assert one.engine.texts() == left


def test_only_new_labels_tell_nothing(told: Callable[..., Told]) -> None:
    one = told()
    one.tell(one.land(mail("a", "one")))
    asked = len(one.engine.asked)
    one.tell(one.land(mail("a", "one", X_Gmail_Labels="Starred")))
    assert len(one.engine.asked) == asked


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whichever_batch_comes_first(told: Callable[..., Told], order: tuple[int, ...]) -> None:
    """An older version never comes after a newer one."""
    one = told()
    batches = [
        one.land(mail("a", "old"), mail("b", "old"), mail("c", "same")),
        one.land(mail("a", "new")),
        one.land(Record("b", b"", gone=True)),
    ]
    for at in order:
        one.tell(batches[at])
    assert one.engine.texts() == ["new", "same"]


def test_what_programs_send_is_left_out(told: Callable[..., Told]) -> None:
    """BEYOND C14: most of a mailbox is not worth remembering."""
    newsletter = mail("n", "Buy!", List_Unsubscribe="<https://example.com/u>")
    one = told()
    one.tell(one.land(mail("a", "one"), newsletter))
    assert one.engine.texts() == ["one"]
    everything = told(memory_engine_from="all")
    everything.tell(one.trail.batches()[0]["batch_id"])
    assert one.engine.texts() == ["Buy!", "one"]


def test_away_it_is_told_later(told: Callable[..., Told]) -> None:
    """What was told before the engine went away is not told again."""
    one = told("mem0")
    number = one.land(mail("a", "one"), mail("b", "two"), mail("c", "three"))
    one.engine.script = [200] + [429] * 10
    with pytest.raises(Retry):
        one.tell(number)
    assert one.engine.texts() == ["one"]
    one.engine.script = []
    one.tell(number)
    assert one.engine.texts() == ["one", "three", "two"]


def test_a_key_that_is_refused_asks_for_a_person(told: Callable[..., Told]) -> None:
    one = told(memory_engine_key="k-secret-1")
    one.engine.script = [401] * 20
    with pytest.raises(NeedsHuman) as caught:
        one.tell(one.land(mail("a", "one")))
    assert "k-secret-1" not in str(caught.value)


@pytest.mark.parametrize("shape", ["headrace", "mem0"])
def test_what_it_refuses_is_alone(told: Callable[..., Told], shape: str) -> None:
    """Covers X5: one record that it does not take, among many of one request."""
    one = told(shape)
    one.engine.refuses = "poison"
    records = [mail(f"m{n}", "poison" if n == 3 else f"text {n}") for n in range(7)]
    one.tell(one.land(*records))
    assert one.letters() == ["m3"]
    assert one.engine.texts() == [f"text {n}" for n in range(7) if n != 3]


def test_told_twice_by_accident_it_has_the_same_key(
    told: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies after the answer tells again, so that an engine that looks knows it."""
    one = told("mem0")
    number = one.land(mail("a", "one"))
    say = stage_module._Teller._say

    def die(*_: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(stage_module._Teller, "_say", die)
    with pytest.raises(SystemExit):
        one.tell(number)
    monkeypatch.setattr(stage_module._Teller, "_say", say)
    one.tell(number)
    assert len(one.engine.keys) == 2
    assert len(set(one.engine.keys)) == 1
    assert one.engine.keys[0]


def test_without_an_engine_there_is_no_such_stage(told: Callable[..., Told]) -> None:
    plugins.choose(Settings(_env_file=None))
    assert REMEMBER not in [step.stage.name for step in plugins.steps(MAIL)]
    assert REMEMBER not in plugins.wiring()["stages"]
    told()
    assert REMEMBER in [step.stage.name for step in plugins.steps(MAIL)]
    assert REMEMBER not in plugins.wiring(apart=False)["stages"]


def test_what_came_before_the_engine_is_told_as_well(told: Callable[..., Told]) -> None:
    """Nobody has to ask for it: the sweeper finds batches that the engine has not been told of."""
    one = told()
    number = one.land(mail("a", "one"))
    plugins.choose(Settings(_env_file=None))
    run_stage(one.trail.bench.database, NORMALISE, number)
    sweep.sweep(one.trail.bench.database, quiet=0)
    told()
    assert sweep.sweep(one.trail.bench.database, quiet=0)[1] == 1
    asked = one.trail.bench.rows(
        "SELECT workflow_uuid FROM dbos.workflow_status WHERE workflow_uuid LIKE 'stage:remember%%'"
    )
    assert len(asked) == 1


def test_all_of_it_again(told: Callable[..., Told]) -> None:
    """For an engine that has lost everything."""
    one = told()
    number = one.land(mail("a", "one"), mail("b", "two"))
    one.tell(number)
    one.engine.kept.clear()
    with one.trail.bench.database.transaction() as session:
        assert memories.again(session, "acme", None, REMEMBER) == 2
    assert not one.trail.bench.rows("SELECT * FROM headrace.stage_runs WHERE stage = 'remember'")
    one.tell(number)
    assert one.engine.texts() == ["one", "two"]


SHAPE = "add: {method: POST, path: /x, body: {text: '{text}'}}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("add: [", "cannot be used"),
        ("remove: {method: DELETE, path: /x}", "missing required field `add`"),
        (SHAPE.replace("{text}", "{words}"), "nothing to put into {words}"),
        (SHAPE.replace("path", "place"), "unknown field `place`"),
        (SHAPE.replace("POST", "POST, at_once: 0"), "from 1 to 1000"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why) as caught:
        read("mine.yaml", text)
    assert "mine.yaml" in caught.value.message


def test_a_shape_of_one_s_own(told: Callable[..., Told], tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "add:\n  method: POST\n  path: /memories\n  at_once: 10\n"
        "  body: {memories: {each: {id: '{id}', key: '{key}', version: '{version}',"
        " space: 'x {user}', text: '{text}'}}}\n"
    )
    one = told("headrace")
    settings = state.current().settings.model_copy(update={"memory_engine_shape": str(mine)})
    state.enter(state.State(one.trail.bench.database, settings, state.current().vault))
    one.tell(one.land(mail("a", "one")))
    assert [kept["space"] for kept in one.engine.kept.values()] == ["x ann"]
