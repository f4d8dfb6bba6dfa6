"""Archives: members are documents, an unchanged archive is not opened, and a hostile one is."""

from __future__ import annotations

import contextlib
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.files.conftest import Memory, local, put

from headrace.errors import Skip
from headrace.files import archive as archive_module
from headrace.files import unpack as unpack_module
from headrace.files.archive import Archive
from headrace.files.local import LocalFiles
from headrace.files.place import Item


def zipped(**members: str | bytes) -> bytes:
    return zip_of({name.replace("__", "/") + ".txt": text for name, text in members.items()})


def zip_of(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return out.getvalue()


def tar_of(members: dict[str, str], kind: str = "", *more: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    mode = f"w:{kind}" if kind else "w"
    with tarfile.open(fileobj=out, mode=mode) as made:  # type: ignore[call-overload]
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            made.addfile(info, io.BytesIO(text.encode()))
        for one in more:
            made.addfile(one)
    return out.getvalue()


async def test_members_are_documents_in_their_place(tmp_path: Path, memory: Memory) -> None:
    """Under the archive's path, in the order of ids, whatever lies beside it."""
    put(tmp_path / "r.zip", zip_of({"2024/a.txt": "A", "b.md": "B", "x.exe": "no", ".h/c.txt": ""}))
    for name in ("r.zip bak.txt", "r.zip.txt", "r.txt", "r/z.txt", "s.txt"):
        put(tmp_path / name, "x")
    run = await memory.run(local(tmp_path))
    assert run.new == sorted(
        [
            "r.zip!/2024/a.txt",
            "r.zip!/b.md",
            "r.zip bak.txt",
            "r.zip.txt",
            "r.txt",
            "r/z.txt",
            "s.txt",
        ]
    )
    assert {one.source_id: one.payload for one in run.records}["r.zip!/2024/a.txt"] == b"A"


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.zip"])
async def test_every_kind_named_as_input(tmp_path: Path, memory: Memory, name: str) -> None:
    """An archive that is the input itself is opened as one in a folder is."""
    kind = {"gz": "gz", "tgz": "gz", "bz2": "bz2", "xz": "xz"}.get(name.rpartition(".")[2], "")
    members = {"./one.txt": "1", "two/three.txt": "3"}
    path = tmp_path / name
    put(path, zip_of({**members}) if name.endswith("zip") else tar_of(members, kind))
    run = await memory.run(local(path))
    assert [(one.source_id, one.payload) for one in run.records] == [
        (f"{name}!/one.txt", b"1"),
        (f"{name}!/two/three.txt", b"3"),
    ]


async def test_an_unchanged_archive_costs_its_stat_only(
    tmp_path: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads would fail; so for one in which not every member was good."""
    put(tmp_path / "a.zip", zipped(**{f"n{n}": str(n) for n in range(50)}))
    put(tmp_path / "b.tgz", tar_of({"x.txt": "x", "in.zip": "nested"}, "gz"))
    assert len((await memory.run(local(tmp_path), legs=True)).new) == 51

    def read(self: LocalFiles, item: Item) -> tuple[bytes, Item]:
        raise AssertionError(f"{item.id} was read")

    monkeypatch.setattr(LocalFiles, "read", read)
    run = await memory.run(local(tmp_path))
    assert (run.records, run.bad, run.unchanged) == ([], [], 51)


async def test_a_changed_archive_brings_its_members_and_loses_what_it_lost(
    tmp_path: Path, memory: Memory
) -> None:
    """And one that is deleted loses all; what lies beside it is not touched."""
    put(tmp_path / "a.zip", zipped(one="1", two="2"))
    put(tmp_path / "b.txt", "b")
    await memory.run(local(tmp_path))
    put(tmp_path / "a.zip", zipped(two="2", three="3"))
    run = await memory.run(local(tmp_path))
    assert (run.new, run.gone) == (["a.zip!/three.txt", "a.zip!/two.txt"], ["a.zip!/one.txt"])
    (tmp_path / "a.zip").unlink()
    run = await memory.run(local(tmp_path))
    assert (run.new, run.gone) == ([], ["a.zip!/three.txt", "a.zip!/two.txt"])


async def test_an_archive_that_breaks_loses_nothing(tmp_path: Path, memory: Memory) -> None:
    """It is said, and what was known of it stays until it can be read again."""
    put(tmp_path / "a.zip", zipped(one="1"))
    await memory.run(local(tmp_path))
    put(tmp_path / "a.zip", zipped(one="1")[:-30])
    run = await memory.run(local(tmp_path))
    assert (run.new, run.gone, [one.source_id for one in run.bad]) == ([], [], ["a.zip"])
    assert "damaged archive" in run.bad[0].reason


async def test_a_walk_killed_in_an_archive_goes_on_in_it(tmp_path: Path, memory: Memory) -> None:
    """Half of an archive is not taken for the whole: the next run brings the rest."""
    put(tmp_path / "a.zip", zipped(**{f"n{n:02}": str(n) for n in range(40)}))
    whole = await memory.run(local(tmp_path))
    assert [len(page.records) for page in whole.pages][:2] == [32, 8]
    memory.marks = dict(sorted(memory.marks.items())[:32])
    rest = await memory.run(local(tmp_path))
    assert (len(rest.new), rest.unchanged, rest.gone) == (8, 32, [])


async def test_what_leads_out_is_refused_one_by_one(tmp_path: Path, memory: Memory) -> None:
    """Covers CVE-2026-50203: absolute paths, dots, links, devices, archives inside; good ones
    land."""
    link, device, hard = (tarfile.TarInfo(f"{n}.txt") for n in ("link", "device", "hard"))
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard.type, hard.linkname = tarfile.LNKTYPE, "good.txt"
    device.type = tarfile.CHRTYPE
    bad = {"/etc/passwd": "x", "../../up.txt": "x", "in/inner.tar.gz": "x", "C:\\w.txt": "x"}
    put(tmp_path / "a.tar", tar_of({"good.txt": "fine", **bad}, "", link, hard, device))
    run = await memory.run(local(tmp_path))
    assert run.new == ["a.tar!/good.txt"]
    reasons = {one.source_id: one.reason for one in run.bad}
    assert set(reasons) == {
        f"a.tar!/{one}"
        for one in (
            "/etc/passwd",
            "../../up.txt",
            "in/inner.tar.gz",
            "/C:/w.txt",
            "link.txt",
            "hard.txt",
            "device.txt",
        )
    }
    assert "an archive inside of an archive" in reasons["a.tar!/in/inner.tar.gz"]
    assert "leads out" in reasons["a.tar!/../../up.txt"]


def test_a_zip_with_links_and_locks() -> None:
    """They are members that are not read."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        info = zipfile.ZipInfo("link.txt")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        made.writestr(info, "/etc/passwd")
        made.writestr("locked.txt", "x")
    content = bytearray(out.getvalue())
    content[content.rindex(b"PK\1\2") + 8] |= 1  # as its directory says: encrypted
    opened = Archive("a.zip", bytes(content))
    with pytest.raises(Skip, match="a link or a device"):
        opened.read("link.txt")
    with pytest.raises(Skip, match="locked by a password"):
        opened.read("locked.txt")


def test_overlapping_members_are_a_bomb() -> None:
    """Two entries of the directory, one piece of data."""
    content = zip_of({"a.txt": b"x" * 1000, "b.txt": b"x" * 1000})
    second = content.rindex(b"PK\1\2")
    content = content[: second + 42] + struct.pack("<L", 0) + content[second + 46 :]
    with pytest.raises(Skip, match="overlap"):
        Archive("a.zip", content)


def test_bombs_are_refused_by_their_claims_and_by_their_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Too many members, too high a ratio, too much in all."""
    monkeypatch.setattr(archive_module, "MEMBERS", 20)
    many = {f"{n}.txt": "x" for n in range(21)}
    for name, content in (("a.zip", zip_of({**many})), ("a.tar", tar_of(many))):
        with pytest.raises(Skip, match="more than 20 members"):
            Archive(name, content)
    bomb = b"\0" * (11 << 20)
    with pytest.raises(Skip, match="as in a zip bomb"):
        Archive("a.zip", zip_of({"a.txt": bomb})).read("a.txt")
    for kind in ("gz", "bz2", "xz"):
        with pytest.raises(Skip, match="200 times its size"):
            Archive(f"a.tar.{kind}", tar_of({"a.txt": bomb.decode()}, kind))
    monkeypatch.setattr(archive_module, "UNPACKED", 1000)
    with pytest.raises(Skip, match="unpacks to more than"):
        Archive("a.zip", zip_of({"a.txt": b"12345" * 300}))
    monkeypatch.setattr(unpack_module, "UNPACKED", 1000)
    with pytest.raises(Skip, match="unpacks to more than"):
        Archive("a.tgz", tar_of({"a.txt": "12345" * 300}, "gz"))


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_any_damage_is_a_sentence(name: str) -> None:
    """Cut anywhere, or changed anywhere: Skip or the right bytes, never another error."""
    members = {"a.txt": "some text " * 50, "b.txt": "other"}
    kind = name.rpartition(".")[2]
    good = zip_of({**members}) if kind == "zip" else tar_of(members, kind.replace("tar", ""))
    step = max(1, len(good) // 60)
    for at in range(0, len(good), step):
        flipped = good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :]
        for content in (good[:at], flipped):
            with contextlib.suppress(Skip):
                opened = Archive(name, content)
                for path in opened.members:
                    opened.read(path)


async def test_patterns_reach_into_archives(tmp_path: Path, memory: Memory) -> None:
    """`**` goes inside, the archive's own name means all of it, and exclude leaves out."""
    put(tmp_path / "a.zip", zip_of({"x/one.txt": "1", "two.md": "2"}))

    async def found(pattern: str | None, *exclude: str) -> list[str]:
        return (await Memory().run(local(tmp_path, pattern, exclude))).new

    assert await found("**/*.txt") == ["a.zip!/x/one.txt"]
    assert await found("*.zip") == ["a.zip!/two.md", "a.zip!/x/one.txt"]
    assert await found("*.md") == []
    assert await found(None, "**/*.zip") == []
    assert await found(None, "**/*.md") == ["a.zip!/x/one.txt"]


async def test_a_folder_called_like_an_archives_inside(tmp_path: Path, memory: Memory) -> None:
    """The folder has the ids, and the archive is left for what it is."""
    put(tmp_path / "a.zip", zipped(one="1"))
    put(tmp_path / "a.zip!/one.txt", "folder")
    run = await memory.run(local(tmp_path))
    assert [one.payload for one in run.records] == [b"folder"]
