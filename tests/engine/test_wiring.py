"""What would fail silently later is refused at start, with the names in it (ruling X8)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from headrace import Page, Provider, RawEvent, Row, StreamContext, StreamPlan, plugins, stage
from headrace.engine import kinds, runtime, workflows
from headrace.errors import BadInput, HeadraceError
from headrace.provider import JSON
from headrace.rows import EventRow
from headrace.stage import StageError

Add = Callable[..., None]


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Iterator[Add]:
    """Install these, by name, as a module of another package would."""
    real = plugins._modules
    added: dict[str, ModuleType] = {}

    def modules(folder: ModuleType, group: str) -> Iterator[ModuleType]:
        yield from real(folder, group)
        yield from added.values()

    def install(**named: Any) -> None:
        module = added.setdefault("another_package", ModuleType("another_package"))
        for name, value in named.items():
            setattr(module, name, value)
            if isinstance(value, type):
                value.__module__ = "another_package"
        forget()

    def forget() -> None:
        for found in (plugins.providers, plugins.stages):
            found.cache_clear()

    monkeypatch.setattr(plugins, "_modules", modules)
    yield install
    monkeypatch.undo()
    forget()


def source(named: str, of_kind: str, *also: str) -> type[Provider]:
    class Made(Provider):
        name = named
        kind = of_kind
        aliases = also
        Config = BaseModel

        async def streams(self) -> list[StreamPlan]:
            return []

        async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:
            raise NotImplementedError

    return Made


class Lonely(Row, kw_only=True):
    table: ClassVar[str] = "lonely"


class Weighed(Row, kw_only=True):
    table: ClassVar[str] = "weighed"
    weight: float = 0.0


def test_what_is_shipped_is_wired() -> None:
    """Covers X8, A3.9, A3.34, A1.27, A1.28: every kind has a handler, every stage is fed."""
    runtime.check()
    assert {"rest_sync", "mailbox_import"} <= set(plugins.sync_kinds())
    contents = {one.content for one in plugins.stages().values()}
    assert {"application/json", "message/rfc822"} <= contents


def test_the_promised_kinds_and_steps_are_there() -> None:
    """Covers A1.50, A3.3: Gmail and the calendar each have a sync and a normaliser, and whoever
    takes people out of what they said has a name for it too."""
    assert {"google_gmail_sync", "google_calendar_sync"} <= set(plugins.sync_kinds())
    steps = {"normalize_google_email", "normalize_google_event", "extract_contacts"}
    assert steps <= set(plugins.stages())
    assert "extract_contacts" in kinds.SOURCELESS


def test_each_kind_of_job_is_done_by_one_function() -> None:
    """Covers A1.51: an asynchronous one of the job. Nothing but its number and its turn is handed
    over: all else is read from its row. Kinds that fetch nothing have one function of a leg, and
    there is no kind without."""
    assert inspect.iscoroutinefunction(workflows.run_job)
    assert list(inspect.signature(workflows.run_job).parameters) == ["job_id", "turn"]
    assert set(workflows._WITHOUT_SOURCE) == set(kinds.SOURCELESS)
    for leg in workflows._WITHOUT_SOURCE.values():
        assert list(inspect.signature(leg).parameters) == ["database", "job_id", "turn"]


def test_a_new_package_is_found_and_wired(add: Add) -> None:
    """Covers A0.30, A1.49: one module, and no other edit."""
    add(Source=source("another", "another_sync", "another:fetch"))
    runtime.check()
    assert plugins.sync_kinds()["another:fetch"] is plugins.provider("another")


def test_two_sources_of_one_name(add: Add) -> None:
    add(Source=source("rest", "another_sync"))
    with pytest.raises(BadInput, match=r"'rest': headrace.providers.rest and another_package"):
        runtime.check()


def test_two_sources_of_one_kind(add: Add) -> None:
    """Covers X3, X8: an alias of one is the kind of the other."""
    add(Source=source("another", "another_sync", "rest_sync"))
    with pytest.raises(HeadraceError, match="job kind 'rest_sync'"):
        runtime.check()


def test_two_stages_of_one_name(add: Add) -> None:
    """A stage that silently took another's place would leave its batches without theirs."""

    @stage(version=9, content="application/json")
    def normalize_events(raw: RawEvent, stream: StreamContext) -> Iterable[EventRow]:
        return []

    add(normalize_events=normalize_events)
    with pytest.raises(StageError, match="normalize_events"):
        runtime.check()


def test_a_stage_that_nothing_would_run(add: Add) -> None:
    """Covers X8, A3.9: better refused than never run."""

    @stage(version=1)
    def over_rows(row: Lonely, stream: StreamContext) -> Iterable[EventRow]:
        return []

    add(stage=over_rows)
    with pytest.raises(StageError, match="reads Lonely"):
        runtime.check()


def test_a_stage_over_any_content(add: Add) -> None:
    @stage(version=1)
    def over_anything(raw: RawEvent, stream: StreamContext) -> Iterable[EventRow]:
        return []

    add(stage=over_anything)
    with pytest.raises(StageError, match="of which content"):
        runtime.check()


def test_a_stage_whose_rows_cannot_be_written(add: Add) -> None:
    @stage(version=1, content="application/x-weights")
    def weigh(raw: RawEvent, stream: StreamContext) -> Iterable[Weighed]:
        return []

    add(stage=weigh)
    with pytest.raises(StageError, match="weight of Weighed"):
        runtime.check()


def test_an_engine_that_is_wired_wrongly_does_not_start(
    add: Add, url: str, running: Callable[..., AbstractContextManager[Any]]
) -> None:
    """Covers X8: and leaves nothing behind that another process would have to clean up."""
    add(Source=source("another", "another_sync", "rest_sync"))
    with pytest.raises(HeadraceError, match="job kind"), running():
        pass


def no_types(raw, stream):  # type: ignore[no-untyped-def]
    return []


def one_argument(raw: RawEvent) -> Iterable[EventRow]:
    return []


def not_rows(raw: RawEvent, stream: StreamContext) -> Iterable[int]:
    return []


def many_types(raw: RawEvent, stream: StreamContext) -> Iterable[EventRow | None]:
    return []


def not_many(raw: RawEvent, stream: StreamContext) -> EventRow:
    raise NotImplementedError


@pytest.mark.parametrize("function", [no_types, one_argument, not_rows, many_types, not_many])
def test_a_signature_that_wires_nothing(function: Any) -> None:
    """Signatures are the wiring: one that says nothing is refused where it is declared."""
    with pytest.raises(StageError, match=function.__name__):
        stage(version=1, content="any")(function)


def test_a_name_nearly_right_is_suggested() -> None:
    with pytest.raises(BadInput) as refused:
        plugins.provider("mailbx")
    assert "mailbox" in refused.value.hint
