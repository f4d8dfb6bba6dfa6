"""A folder of this machine: what is there, in which order, and what is never read."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from tests.files.conftest import OLD, ids, local, put

from headrace.errors import BadInput, Skip
from headrace.files import local as local_module
from headrace.files.local import LocalFiles
from headrace.files.pattern import Selection
from headrace.files.place import Item
from headrace.files.places import open_place

_NAMES = ["a.txt", "a/b.txt", "a b.txt", "a-b.txt", "a0.txt", "b/c/d.md", "b.c/x.txt", "é.txt"]


def test_the_order_is_that_of_the_paths_bytes(tmp_path: Path) -> None:
    """A folder stands where its paths do, not where its name does."""
    for name in _NAMES:
        put(tmp_path / name, "x")
    assert ids(local(tmp_path)) == sorted(_NAMES, key=str.encode)


def test_a_walk_goes_on_anywhere(tmp_path: Path) -> None:
    """After any id, whether it is still there or not, comes exactly what is greater."""
    for name in _NAMES:
        put(tmp_path / name, "x")
    place, there = local(tmp_path), sorted(_NAMES, key=str.encode)
    for after in [*there, "a/", "a/b", "b/c/zz", "zzz", "\U0010ffff"]:
        assert ids(place, after) == [one for one in there if one > after], after


def test_a_name_with_a_newline_is_a_name(tmp_path: Path) -> None:
    """And it is read under it."""
    put(tmp_path / "two\nlines.txt", "x")
    [item] = local(tmp_path).items("")
    assert item.id == "two\nlines.txt"
    assert local(tmp_path).read(item)[0] == b"x"


def test_a_name_that_is_no_text_is_left_out(tmp_path: Path) -> None:
    """Names on Linux are bytes; ids are text."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_bytes(b"x")
    assert ids(local(tmp_path)) == []


def test_links_are_followed_inside_and_never_out(tmp_path: Path) -> None:
    """A link to a file outside, to a folder and to nothing is none of ours."""
    put(tmp_path / "secret.txt", "secret")
    put(tmp_path / "in/real.txt", "x")
    root = tmp_path / "in"
    (root / "also.txt").symlink_to(root / "real.txt")
    (root / "out.txt").symlink_to(tmp_path / "secret.txt")
    (root / "folder").symlink_to(tmp_path)
    (root / "nothing.txt").symlink_to(tmp_path / "nothing")
    (root / "round.txt").symlink_to(root / "round.txt")
    assert ids(local(root)) == ["also.txt", "real.txt"]


def test_a_link_made_after_the_listing_is_refused(tmp_path: Path) -> None:
    """What is opened is looked at, not what was listed."""
    put(tmp_path / "secret.txt", "secret")
    root = tmp_path / "in"
    put(root / "a.txt", "x")
    [item] = local(root).items("")
    (root / "a.txt").unlink()
    (root / "a.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(Skip, match="no file of this folder"):
        local(root).read(item)


def test_pipes_and_sockets_are_no_files(tmp_path: Path) -> None:
    """Neither listed nor, should one take a file's place, waited for."""
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s.txt"))
    assert ids(local(tmp_path)) == []
    with pytest.raises(Skip, match="no file of this folder"):
        local(tmp_path).read(Item("pipe.txt", "", 1))


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """With the system's own word for why."""
    put(tmp_path / "a.txt", "x")
    [item] = local(tmp_path).items("")
    (tmp_path / "a.txt").unlink()
    with pytest.raises(Skip, match=r"a\.txt cannot be read: No such file"):
        local(tmp_path).read(item)


def test_an_edit_of_the_same_size_within_a_second_changes_the_mark(tmp_path: Path) -> None:
    """Also when the time of the file is set back to what it was."""
    path = put(tmp_path / "a.txt", "one")
    place = local(tmp_path)
    [before] = place.items("")
    put(path, "two", OLD)
    [after] = place.items("")
    assert before.size == after.size
    assert not place.same(before.mark, after.mark)


def test_a_time_that_goes_back_changes_the_mark(tmp_path: Path) -> None:
    """An older file put in the place of a newer one is another file."""
    path = put(tmp_path / "a.txt", "one", OLD)
    place = local(tmp_path)
    [before] = place.items("")
    put(path, "one", OLD - 1000)
    [after] = place.items("")
    assert not place.same(before.mark, after.mark)
    assert after.modified is not None
    assert after.modified.timestamp() == OLD - 1000


def test_on_which_device_it_lies_is_no_change(tmp_path: Path) -> None:
    """A mount gets another number with each boot."""
    put(tmp_path / "a.txt", "one")
    place = local(tmp_path)
    [item] = place.items("")
    assert place.same(item.mark, item.mark.partition("@")[0] + "@12345")


def test_a_file_that_is_being_written_waits_for_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it is never taken for all of it."""
    path = put(tmp_path / "a.txt", "half")
    [item] = local(tmp_path).items("")
    fdopen = os.fdopen

    def opened(descriptor: int, mode: str) -> IO[bytes]:
        file: IO[bytes] = fdopen(descriptor, mode)
        os.fstat(descriptor)
        threading.Thread(target=path.write_bytes, args=(b"half and more",)).start()
        while path.stat().st_size == 4:
            time.sleep(0.001)
        return file

    with monkeypatch.context() as patched:
        # Written to between the two looks at it: after the first, before the second.
        patched.setattr(os, "fdopen", opened)
        patched.setattr(os, "fstat", _first_look(os.fstat))
        with pytest.raises(Skip, match="being written"):
            local(tmp_path).read(item)
    put(path, "half and more")
    assert local(tmp_path).read(item)[0] == b"half and more"


def _first_look(fstat: Callable[[int], os.stat_result]) -> Callable[[int], os.stat_result]:
    """The first answer of all is given to the second question as well: nothing waited between."""
    said: list[os.stat_result] = []

    def look(descriptor: int) -> os.stat_result:
        now = fstat(descriptor)
        said.append(now)
        return said[0] if len(said) == 2 else now

    return look


def test_a_young_file_is_given_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written a moment ago is read once it has been still for a while."""
    monkeypatch.setattr(local_module, "_YOUNG_SECONDS", 0.3)
    path = put(tmp_path / "a.txt", "x", time.time())
    [item] = local(tmp_path).items("")
    local(tmp_path).read(item)
    assert time.time() - path.stat().st_mtime >= 0.29


def test_a_file_over_the_cap_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its size; nothing of it comes into memory."""
    monkeypatch.setattr(local_module, "MOST_BYTES", 1 << 20)
    path = put(tmp_path / "a.txt", "")
    os.truncate(path, (1 << 20) + 1)
    os.utime(path, (OLD, OLD))
    [item] = local(tmp_path).items("")
    with pytest.raises(Skip, match="larger than 1 MB"):
        local(tmp_path).read(item)


@pytest.mark.parametrize(
    ("pattern", "exclude", "expected"),
    [
        (None, (), ["a.md", "a.txt", "sub/b.txt", "sub/deep/c.txt"]),
        ("*", (), ["a.md", "a.txt"]),
        ("*.md", (), ["a.md"]),
        ("**/*.txt", (), ["a.txt", "sub/b.txt", "sub/deep/c.txt"]),
        ("sub/*", (), ["sub/b.txt"]),
        ("*.exe", (), ["x.exe"]),
        ("[!x].txt", (), ["a.txt"]),
        (None, ("sub/**",), ["a.md", "a.txt"]),
        (None, ("**/*.txt",), ["a.md"]),
    ],
)
def test_patterns_and_what_is_left_out(
    tmp_path: Path, pattern: str | None, exclude: tuple[str, ...], expected: list[str]
) -> None:
    """As shells have them; a pattern that names an ending decides what is a document."""
    names = ["a.txt", "a.md", "x.exe", "sub/b.txt", "sub/deep/c.txt", ".hidden/d.txt", "~$a.txt"]
    for name in names:
        put(tmp_path / name, "x")
    assert ids(local(tmp_path, pattern, exclude)) == expected


def test_a_file_that_is_named_is_taken_whatever_it_is(tmp_path: Path) -> None:
    """The ending decides only where nobody has."""
    path = put(tmp_path / "notes.weird", "x")
    place = LocalFiles(path, Selection(None, frozenset({".txt"})))
    [item] = place.items("")
    assert item.id == "notes.weird"
    assert place.read(item)[0] == b"x"


def test_a_path_outside_of_the_roots_is_refused(tmp_path: Path) -> None:
    """Also by `..`, by a link, and with a NUL in it."""
    inside = tmp_path / "open"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    for named in (tmp_path, inside / "..", inside / "link", "/etc/passwd"):
        with pytest.raises(BadInput, match="not in a folder that may be named"):
            open_place(str(named), frozenset(), [inside])
    with pytest.raises(BadInput, match="NUL"):
        open_place(f"{inside}/\0", frozenset(), [inside])
    with pytest.raises(BadInput, match="not text"):
        open_place(f"{inside}/\udcff", frozenset(), [inside])
    with pytest.raises(BadInput, match="There is no folder"):
        ids(open_place(str(inside / "none"), frozenset(), [inside]))
