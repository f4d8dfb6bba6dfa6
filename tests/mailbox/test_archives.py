"""Takeout zips and gzip files: pages in one pass, damage, bombs and encryption."""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.errors import BadInput
from headrace.mailbox.detect import find
from headrace.mailbox.packed import Unpacked
from headrace.provider import Page, Record

Writer = Callable[..., bytes]
Walk = Callable[..., dict[str, list[Page]]]

ALL_MAIL = "Takeout/Mail/All mail Including Spam and Trash.mbox"
NAME = f"takeout.zip!/{ALL_MAIL}"


def records(pages: list[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


@pytest.fixture
def content(mboxrd: Writer, mail: Writer) -> bytes:
    return mboxrd([mail(number) for number in range(1_200)])


@pytest.fixture
def takeout(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "takeout.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Takeout/archive_browser.html", "<html>")
        archive.writestr("../../etc/Drafts.mbox", content[: len(content) // 2])
        archive.writestr(ALL_MAIL, content)
        archive.writestr("Takeout/Drive/report.pdf", b"%PDF")
    return path


def test_mail_in_a_takeout_is_found_and_read(takeout: Path, walk: Walk, content: bytes) -> None:
    """Names inside an archive are shown, never used as paths. Covers the Folders rules."""
    pages = walk(takeout)
    assert sorted(pages) == ["takeout.zip!/../../etc/Drafts.mbox", NAME]
    assert [len(page.records) for page in pages[NAME]] == [500, 500, 200]
    assert sorted(path.name for path in takeout.parent.iterdir()) == ["takeout.zip"]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_every_method_gives_what_the_plain_file_gives(
    tmp_path: Path, walk: Walk, content: bytes, method: int
) -> None:
    (tmp_path / "plain").mkdir()
    plain = tmp_path / "plain" / "a.mbox"
    plain.write_bytes(content)
    path = tmp_path / "a.zip"
    with (
        zipfile.ZipFile(path, "w", method) as archive,
        archive.open("a.mbox", "w", force_zip64=True) as file,
    ):
        file.write(content)
    expected = records(walk(plain)["a.mbox"])
    assert records(walk(path)["a.zip!/a.mbox"]) == expected
    assert records(walk(path, afresh=True)["a.zip!/a.mbox"]) == expected


def test_pages_in_turn_unpack_once(
    takeout: Path, walk: Walk, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    original = Unpacked.read

    def counted(self: Unpacked, count: int) -> bytes:
        data = original(self, count)
        given.append(len(data))
        return data

    monkeypatch.setattr(Unpacked, "read", counted)
    cursor = {NAME: walk(takeout)[NAME][-1].cursor}
    assert sum(given) == len(content) + len(content) // 2
    given.clear()
    [page] = walk(takeout, cursor)[NAME]
    assert not page.records
    assert sum(given) == len(content) // 2  # the other stream, walked from its start


def test_another_content_under_the_same_name_is_read_from_its_start(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    path = tmp_path / "a.zip"
    for numbers in (range(3), range(4)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.mbox", mboxrd([mail(number) for number in numbers]))
        if numbers == range(3):
            cursor = walk(path)["a.zip!/a.mbox"][-1].cursor
    [page] = walk(path, {"a.zip!/a.mbox": cursor})["a.zip!/a.mbox"]
    assert len(page.records) == 4
    assert "restarted" in page.notes


def test_gzip_of_an_mbox(tmp_path: Path, walk: Walk, content: bytes) -> None:
    path = tmp_path / "2026-January.txt.gz"
    path.write_bytes(gzip.compress(content))
    pages = walk(path)[path.name]
    assert len(records(pages)) == 1_200
    [page] = walk(path, {path.name: pages[-1].cursor})[path.name]
    assert not page.records


@pytest.mark.parametrize("ending", [".zip", ".gz"])
def test_what_comes_before_damage_lands_and_the_damage_is_told(
    tmp_path: Path, walk: Walk, content: bytes, ending: str
) -> None:
    path = tmp_path / f"a{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.mbox", content)
        data = bytearray(path.read_bytes())
        middle = data.index(b"PK\1\2") // 2
    else:
        data = bytearray(gzip.compress(content))
        middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    path.write_bytes(data)
    [pages] = walk(path).values()
    bad = [one for page in pages for one in page.bad]
    assert len(records(pages)) > 300
    assert "cannot be read beyond byte" in bad[-1].reason
    assert not pages[-1].more


def test_a_folder_of_eml_files_in_a_zip(tmp_path: Path, walk: Walk, mail: Writer) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(700):
            archive.writestr(f"mail/{number}.eml", mail(number, newline="\r\n"))
        archive.writestr("mail/0.json", "{}")
        archive.writestr("top.EML", mail(9_000))
    pages = walk(path)
    assert {name: len(records(found)) for name, found in pages.items()} == {
        "export.zip": 1,
        "export.zip!/mail": 700,
    }
    assert records(walk(path, afresh=True)["export.zip!/mail"]) == records(
        pages["export.zip!/mail"]
    )


def test_one_encrypted_member_does_not_hide_the_rest(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.mbox", mboxrd([mail(1)]))
        archive.writestr("locked.mbox", mboxrd([mail(2)]))
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\1\2")
    data[directory + 8] |= 1
    path.write_bytes(data)
    assert [(one.name, one.kind) for one in find(path)] == [
        ("a.zip!/good.mbox", "mbox"),
        ("a.zip!/locked.mbox", "unusable"),
    ]
    with pytest.raises(BadInput, match=r"locked.mbox is encrypted\. Unpack"):
        walk(path)


def test_a_bomb_is_refused_by_what_it_claims(tmp_path: Path, walk: Walk) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("bomb.mbox", b"From a Mon Jan  5 10:00:00 2026\n" + bytes(100 << 20))
    with pytest.raises(BadInput, match="zip bomb"):
        walk(path)


def test_a_bomb_that_lies_about_its_size_is_stopped(tmp_path: Path, walk: Walk) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b"From a Mon Jan  5 10:00:00 2026\nA: 1\n\n")
        for _ in range(160):
            file.write(bytes(1 << 20))
    [pages] = walk(path).values()
    bad = [one for page in pages for one in page.bad]
    assert "unpacks to more than 200 times its size" in bad[-1].reason


def test_overlapping_members_are_refused(tmp_path: Path, walk: Walk, content: bytes) -> None:
    """Two directory entries for the same packed bytes, as in the bombs of 2019."""
    path = tmp_path / "overlap.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.mbox", content)
        archive.writestr("b.mbox", content)
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\1\2")
    struct.pack_into("<L", data, second + 42, 0)
    path.write_bytes(data)
    with pytest.raises(BadInput, match="overlap"):
        walk(path)


def test_a_directory_of_absurd_size_is_refused_before_it_is_loaded(
    tmp_path: Path, walk: Walk
) -> None:
    path = tmp_path / "wide.zip"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 1 << 30, 0, 0)
    path.write_bytes(b"PK\3\4" + bytes(1000) + end)
    with pytest.raises(BadInput, match="more than the 150,000 files"):
        walk(path)


@pytest.mark.parametrize("content", [b"PK\3\4", b"PK\5\6" + bytes(18), b"PK\3\4" + bytes(5_000)])
def test_what_only_begins_like_a_zip_is_refused(tmp_path: Path, walk: Walk, content: bytes) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(content)
    with pytest.raises(BadInput):
        walk(path)
