"""Random histories of a mailbox, with syncs among them: in the end the same mail is here.

Fifty in the suite; `make histories` looks at a thousand, and at others in every run.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gmail.box import Box

from headrace.google.choice import choice_of
from headrace.http import Clock
from headrace.providers.gmail import Gmail
from headrace.store.database import Database
from headrace.twin.google import Google, options_from
from headrace.twin.google.changes import Waiting
from headrace.twin.message import Refused
from headrace.twin.server import listening

HISTORIES = int(os.environ.get("HEADRACE_HISTORIES", "25"))

_numbers = count(1)
_NTH = st.one_of(st.integers(0, 2), st.integers(0, 60))  # often the same message
_CALLS = st.sampled_from(["messages.list", "messages.get", "history.list", "getProfile"])
_LABELS = st.sampled_from([["STARRED"], ["Label_1"], ["INBOX", "UNREAD"], ["SENT"]])


def _change(do: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"do": st.just(do), **more})


CHANGES = st.one_of(
    _change("deliver", n=st.integers(1, 5)),
    _change("deliver", labels=st.sampled_from([["SPAM"], ["Label_1"], ["SENT"]])),
    _change("label", nth=_NTH, labels=_LABELS),
    _change("unlabel", nth=_NTH, labels=_LABELS),
    *(_change(do, nth=_NTH) for do in ("trash", "untrash", "spam", "unspam", "delete")),
    *(_change(do) for do in ("draft", "edit_draft", "send_draft", "expire_history")),
)
FAULTS = st.fixed_dictionaries(
    {
        "on": st.fixed_dictionaries(
            {"call": _CALLS, "request": st.integers(1, 6), "times": st.integers(1, 5)}
        ),
        "do": st.sampled_from(
            [
                {"kind": "reset"},
                {"kind": "truncate"},
                {"kind": "truncate", "how": "short"},
                {"kind": "answer", "status": 500},
                {"kind": "answer", "status": 429},
                {"kind": "shuffle"},
                {"kind": "repeat", "what": "rows"},
            ]
        ),
    }
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), CHANGES),
        st.tuples(st.just("change"), CHANGES),
        st.tuples(st.just("during"), st.tuples(_CALLS, st.integers(1, 4), CHANGES)),
        st.tuples(st.just("faults"), st.lists(FAULTS, max_size=2)),
        st.tuples(st.just("gap"), st.lists(_NTH, min_size=1, max_size=5)),
        st.tuples(st.just("sync"), st.none()),
    ),
    max_size=14,
)
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "leave_out": st.lists(st.sampled_from(["spam", "trash", "drafts"]), unique=True),
        "labels": st.sampled_from([["Receipts"], ["Label_1", "Label_2"], ["INBOX"]]),
        "items_per_run": st.just(60),
    },
)


class Lenient(Waiting):
    """Changes in the middle of a walk, as far as they are possible by then."""

    def before(self, call: str) -> None:
        """See `Waiting`."""
        with suppress(Refused):
            super().before(call)


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.mark.timeout(3_600)
@settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, config=CONFIGS, messages=st.integers(0, 110), sparse=st.booleans())
def test_any_history_ends_with_the_same_mail(
    pool: Database, steps: list[Any], config: dict[str, Any], messages: int, sparse: bool
) -> None:
    """Covers G1, G3, G4, G5, G6, G7, G8, G13: mail comes, goes and changes, also while it is
    listed; histories expire; requests fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gmail, "clock", Clock(sleep=_at_once, chance=lambda: 0.0))
        asyncio.run(_history(pool, steps, config, messages=messages, sparse=sparse))


async def _history(
    pool: Database, steps: list[Any], config: dict[str, Any], **options: Any
) -> None:
    google = Google(options_from(options))
    google.waiting = Lenient()
    async with listening(google.handle, 0) as url:
        box = Box(google, url, pool, called=f"gmail {next(_numbers)}", **config)
        for what, value in steps:
            await _step(box, what, value)
        google.waiting = Waiting()
        box.faults()
        for _ in range(8):
            if (await box.sync()).state == "done":
                break
        await box.synced()
        gmail = Gmail.Config(**box.config)
        ids = {"Receipts": "Label_1"}
        labels = [ids.get(one, one) for one in box.config.get("labels", ())]
        choice = choice_of(labels, gmail)  # type: ignore[arg-type]
        truth = {
            name: has
            for name, has in box.truth(choice.left_out).items()
            if not labels or set(has) & set(labels)
        }
        assert box.shown() == truth
        assert all("does not give" in one["reason"] for one in box.letters())
        assert "owed" not in box.cursor()


async def _step(box: Box, what: str, value: Any) -> None:
    match what:
        case "sync":
            assert (await box.sync()).state in ("done", "capped", "retry")
        case "faults":
            box.faults(*value)
        case "during":
            call, n, change = value
            box.during(call, n, change)
        case "change":
            _change_now(box, value)
        case "gap":
            for nth in value:
                _change_now(box, {"do": "delete", "nth": nth})
            box.mail.expire_history()


def _change_now(box: Box, change: dict[str, Any]) -> None:
    with suppress(AssertionError):  # what is not there cannot change
        box.ask("POST", "/admin/gmail/", [change])
