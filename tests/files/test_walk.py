"""The walk over a place: only what changed is read, and what is gone goes, but never by mistake."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.files.conftest import Memory, local, put

from headrace.errors import Skip
from headrace.files.local import LocalFiles
from headrace.files.place import Item


def _unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(self: LocalFiles, item: Item) -> tuple[bytes, Item]:
        raise AssertionError(f"{item.id} was read")

    monkeypatch.setattr(LocalFiles, "read", read)


async def test_the_second_run_has_nothing_to_do(
    tmp_path: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And costs no read: reads would fail."""
    for n in range(100):
        put(tmp_path / f"{n % 7}/{n}.txt", f"text {n}")
    first = await memory.run(local(tmp_path))
    assert len(first.new) == 100
    assert (first.unchanged, first.gone, first.bad) == (0, [], [])
    _unread(monkeypatch)
    second = await memory.run(local(tmp_path))
    assert (second.records, second.bad, second.unchanged) == ([], [], 100)


async def test_each_page_may_be_another_leg(tmp_path: Path, memory: Memory) -> None:
    """The cursor is all that is kept: every file comes once, in order."""
    for n in range(100):
        put(tmp_path / f"{n % 7}/{n}.txt", f"text {n}")
    run = await memory.run(local(tmp_path), legs=True)
    assert run.new == sorted(run.new)
    assert len(set(run.new)) == len(run.new) == 100


async def test_new_changed_and_deleted(tmp_path: Path, memory: Memory) -> None:
    """Each is found by itself."""
    for name in ("a", "b", "c"):
        put(tmp_path / f"{name}.txt", name)
    await memory.run(local(tmp_path))
    put(tmp_path / "a.txt", "A")
    (tmp_path / "b.txt").unlink()
    put(tmp_path / "d.txt", "d")
    run = await memory.run(local(tmp_path))
    assert (run.new, run.gone, run.unchanged) == (["a.txt", "d.txt"], ["b.txt"], 1)


async def test_a_renamed_file_is_there_before_it_goes(tmp_path: Path, memory: Memory) -> None:
    """So a search finds it at every moment."""
    put(tmp_path / "a.txt", "a")
    put(tmp_path / "b.txt", "b")
    await memory.run(local(tmp_path))
    (tmp_path / "a.txt").rename(tmp_path / "z.txt")
    run = await memory.run(local(tmp_path))
    assert [(one.source_id, one.gone) for one in run.records] == [("z.txt", False), ("a.txt", True)]


async def test_one_that_cannot_be_read_is_buried_and_not_forgotten(
    tmp_path: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others land; what was known of it stays."""
    put(tmp_path / "a.txt", "a")
    put(tmp_path / "b.txt", "b")
    await memory.run(local(tmp_path))
    put(tmp_path / "a.txt", "aa")
    put(tmp_path / "b.txt", "bb")
    read = LocalFiles.read

    def failing(self: LocalFiles, item: Item) -> tuple[bytes, Item]:
        if item.id == "a.txt":
            raise Skip("a.txt cannot be read: Input/output error.")
        return read(self, item)

    monkeypatch.setattr(LocalFiles, "read", failing)
    run = await memory.run(local(tmp_path))
    assert ([one.source_id for one in run.bad], run.new, run.gone) == (["a.txt"], ["b.txt"], [])


@pytest.mark.parametrize("known", [10, 2500])
async def test_an_emptied_root_keeps_all(tmp_path: Path, memory: Memory, known: int) -> None:
    """Files that vanish all at once are taken for a mount that is not there."""
    device = os.stat(tmp_path).st_dev  # noqa: PTH116 - a test may wait
    memory.marks = {f"{n:05}.txt": f"1:1:1:1@{device}" for n in range(known)}
    run = await memory.run(local(tmp_path))
    assert run.gone == []
    assert len(memory.marks) == known
    assert "is empty" in run.bad[0].reason
    assert "nothing was deleted" in run.bad[0].reason


async def test_a_few_files_that_are_deleted_are_gone(tmp_path: Path, memory: Memory) -> None:
    """On the same device, fewer than a mount would have."""
    put(tmp_path / "a.txt", "a")
    await memory.run(local(tmp_path))
    (tmp_path / "a.txt").unlink()
    assert (await memory.run(local(tmp_path))).gone == ["a.txt"]


async def test_a_mount_that_vanished_below_keeps_its_files(tmp_path: Path, memory: Memory) -> None:
    """An empty folder, on another device than its files were."""
    put(tmp_path / "here.txt", "x")
    (tmp_path / "mount").mkdir()
    await memory.run(local(tmp_path))
    memory.marks["mount/a.txt"] = "1:1:1:1@424242"
    run = await memory.run(local(tmp_path))
    assert run.gone == []
    assert "mount is empty" in run.bad[0].reason


async def test_a_folder_that_may_not_be_listed_loses_nothing(
    tmp_path: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are not there to be seen, which is not that they are deleted."""
    put(tmp_path / "here.txt", "x")
    put(tmp_path / "sub/a.txt", "x")
    await memory.run(local(tmp_path))
    put(tmp_path / "sub/a.txt", "x")
    listed = Path.iterdir
    closed = tmp_path / "sub"

    scandir = os.scandir

    def refuse(path: Path) -> None:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied")

    def scan(path: Path) -> object:
        refuse(path)
        return scandir(path)

    def iterate(self: Path) -> object:
        refuse(self)
        return listed(self)

    monkeypatch.setattr(os, "scandir", scan)
    monkeypatch.setattr(Path, "iterdir", iterate)
    run = await memory.run(local(tmp_path))
    assert run.gone == []
    assert "sub cannot be read (Permission denied)" in run.bad[0].reason
