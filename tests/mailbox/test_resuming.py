"""Cursors of an mbox on disk: going on, adding to it, replacing it, leaving it alone."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.mailbox import walk_mbox
from headrace.mailbox.mbox import Splitter
from headrace.mailbox.walk import Filling
from headrace.provider import Page, Record

Writer = Callable[..., bytes]
Walk = Callable[..., dict[str, list[Page]]]


def records(pages: list[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


@pytest.fixture
def mbox(tmp_path: Path, mboxrd: Writer, mail: Writer) -> Path:
    path = tmp_path / "inbox.mbox"
    path.write_bytes(mboxrd([mail(number) for number in range(1_200)]))
    return path


def test_pages_are_small_and_cursors_are_json(mbox: Path, walk: Walk) -> None:
    pages = walk(mbox)["inbox.mbox"]
    assert [len(page.records) for page in pages] == [500, 500, 200]
    assert [page.more for page in pages] == [True, True, False]
    for page in pages:
        assert json.loads(json.dumps(page.cursor)) == page.cursor


def test_big_messages_fill_a_page_sooner(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    path = tmp_path / "big.mbox"
    path.write_bytes(mboxrd([mail(number, body="x" * 1_500_000) for number in range(7)]))
    assert [len(page.records) for page in walk(path)["big.mbox"]] == [3, 3, 1]


def test_a_crash_after_any_page_loses_and_doubles_nothing(mbox: Path, walk: Walk) -> None:
    whole = records(walk(mbox)["inbox.mbox"])
    assert records(walk(mbox, afresh=True)["inbox.mbox"]) == whole
    assert len({record.source_id for record in whole}) == 1_200


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=30), size=st.integers(1, 5))
def test_any_page_size_gives_the_same_records(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer, sizes: list[int], size: int
) -> None:
    path = tmp_path / "any.mbox"
    path.write_bytes(mboxrd([mail(n, body="From me\n" * lines) for n, lines in enumerate(sizes)]))
    once = records(walk(path)["any.mbox"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Filling, "messages", size)
        pages = walk(path, afresh=True)["any.mbox"]
    assert records(pages) == once
    assert len(once) == len(sizes)
    assert all(len(page.records) <= size for page in pages)


def test_an_unchanged_file_is_not_read_again(
    mbox: Path, walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = walk(mbox)["inbox.mbox"][-1].cursor
    monkeypatch.setattr(walk_mbox, "Splitter", None)
    monkeypatch.setattr(walk_mbox, "proof", None)
    [page] = walk(mbox, {"inbox.mbox": cursor})["inbox.mbox"]
    assert (page.records, page.bad, page.more, page.cursor) == ([], (), False, cursor)


def test_only_what_was_appended_is_read(
    mbox: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    cursor = walk(mbox)["inbox.mbox"][-1].cursor
    with mbox.open("ab") as file:
        file.write(mboxrd([mail(5_000), mail(5_001)]))
    [page] = walk(mbox, {"inbox.mbox": cursor})["inbox.mbox"]
    assert [record.source_id.split("@")[0] for record in page.records] == ["5000", "5001"]
    [page] = walk(mbox, {"inbox.mbox": page.cursor})["inbox.mbox"]
    assert not page.records


def test_appending_while_a_walk_is_under_way(
    mbox: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    first = walk(mbox)["inbox.mbox"][0]
    with mbox.open("ab") as file:
        file.write(mboxrd([mail(5_000)]))
    rest = records(walk(mbox, {"inbox.mbox": first.cursor})["inbox.mbox"])
    assert len(first.records) + len(rest) == 1_201


def test_an_edit_while_a_walk_is_under_way_is_found_by_the_next_run(mbox: Path, walk: Walk) -> None:
    first = walk(mbox)["inbox.mbox"][0]
    content = mbox.read_bytes()
    mbox.write_bytes(content.replace(b"Body of mail 100.", b"BODY of mail 100."))
    last = walk(mbox, {"inbox.mbox": first.cursor})["inbox.mbox"][-1]
    assert (last.cursor, last.more) == (None, False)
    found = records(walk(mbox, {"inbox.mbox": last.cursor})["inbox.mbox"])
    assert any(b"BODY of mail 100." in record.payload for record in found)


def test_a_message_that_was_half_written_is_read_again_whole(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    path = tmp_path / "busy.mbox"
    content = mboxrd([mail(1), mail(2, body="one line\nand another\n")])
    path.write_bytes(content[:-20])
    cursor = walk(path)["busy.mbox"][-1].cursor
    path.write_bytes(content)
    [page] = walk(path, {"busy.mbox": cursor})["busy.mbox"]
    assert [record.payload for record in page.records] == [mail(2, body="one line\nand another\n")]
    assert page.notes == {"reread": "the last message has grown"}


@pytest.mark.parametrize("change", ["replace", "cut", "compact", "edit"])
def test_a_file_that_is_not_the_same_any_more_is_read_from_its_start(
    mbox: Path, walk: Walk, mboxrd: Writer, mail: Writer, change: str
) -> None:
    """Not the modification time decides: here it is set back. Covers the Folders rules."""
    before = mbox.stat()
    content = mbox.read_bytes()
    cursor = walk(mbox)["inbox.mbox"][-1].cursor
    everything = [mail(number) for number in range(1_200)]
    changed = {
        "replace": mboxrd([mail(number) for number in range(3_000, 4_200)]),
        "cut": content[: len(content) // 2],
        "compact": mboxrd([*everything[:600], *everything[601:], mail(9_000), mail(9_001)]),
        "edit": content.replace(b"Body of mail 700.", b"BODY of mail 700."),
    }[change]
    mbox.write_bytes(changed)
    os.utime(mbox, ns=(before.st_atime_ns, before.st_mtime_ns))
    pages = walk(mbox, {"inbox.mbox": cursor})["inbox.mbox"]
    assert "restarted" in pages[0].notes
    assert len(records(pages)) == sum(1 for _ in Splitter(io.BytesIO(changed).read))


@pytest.mark.parametrize("cursor", [{"at": -5}, {"at": 5}, [1], "x", 7, {"at": "0", "last": 0}])
def test_a_cursor_of_another_shape_starts_again(mbox: Path, walk: Walk, cursor: object) -> None:
    assert len(records(walk(mbox, {"inbox.mbox": cursor})["inbox.mbox"])) == 1_200


def test_a_message_over_the_cap_is_a_bad_record(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    path = tmp_path / "huge.mbox"
    path.write_bytes(mboxrd([mail(1), mail(2, body="x" * (65 * 1024 * 1024)), mail(3)]))
    pages = walk(path)["huge.mbox"]
    bad = [one for page in pages for one in page.bad]
    assert len(records(pages)) == 2
    assert len(bad) == 1
    assert bad[0].raw.startswith(b"From: Person 2")
    assert "65.0 MiB" in bad[0].reason


def test_all_that_is_read_is_accounted_for(tmp_path: Path, walk: Walk) -> None:
    """Malformed things land somewhere: nothing is left out. Covers A1.54."""
    path = tmp_path / "odd.mbox"
    path.write_bytes(
        b"From a Mon Jan  5 10:00:00 2026\n\n"  # empty
        b"From a Mon Jan  5 10:00:00 2026\nno header at all\n\n"
        b"From a Mon Jan  5 10:00:00 2026\n\xff\xfe\0\0\0\n\n"
        b"From a Mon Jan  5 10:00:00 2026\nDate: never\nMessage-ID: \n\n\n"
    )
    [page] = walk(path)["odd.mbox"]
    assert (len(page.records), len(page.bad)) == (3, 1)
    assert page.bad[0].reason == "The message at byte 0 of odd.mbox is empty."
    assert all(record.occurred_at is not None for record in page.records)
