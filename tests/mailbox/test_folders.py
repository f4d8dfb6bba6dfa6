"""Maildirs and folders of .eml files: what is new is found, whatever it is called."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.mailbox import listing
from headrace.mailbox.detect import find
from headrace.mailbox.walk import Filling
from headrace.mailbox.walk_folder import Folder
from headrace.provider import Page, Record

Writer = Callable[..., bytes]
Walk = Callable[..., dict[str, list[Page]]]


def records(pages: list[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


@pytest.fixture
def maildir(tmp_path: Path, mail: Writer) -> Path:
    root = tmp_path / "Maildir"
    for folder in ("", ".Sent"):
        for part in ("cur", "new", "tmp"):
            (root / folder / part).mkdir(parents=True)
    for number in range(1_100):
        part, flags = ("cur", ":2,S") if number % 2 else ("new", "")
        name = f"17642{number:05d}.M{number}P1.host{flags}"
        (root / part / name).write_bytes(mail(number))
    (root / ".Sent" / "cur" / "1764200001.x:2,").write_bytes(mail(2_000))
    (root / "tmp" / "1764200002.unfinished").write_bytes(mail(3_000))
    return root


def test_each_folder_is_a_stream(maildir: Path, walk: Walk) -> None:
    pages = walk(maildir)
    assert {name: len(records(found)) for name, found in pages.items()} == {
        ".Sent": 1,
        "Maildir": 1_100,
    }
    assert len(pages["Maildir"]) == 3
    afresh = walk(maildir, afresh=True)
    assert {name: records(found) for name, found in afresh.items()} == {
        name: records(found) for name, found in pages.items()
    }


def test_a_message_has_one_identity_in_an_mbox_a_maildir_and_an_eml(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    body = "Hello,\nFrom here on it is simple.\n\n"
    for part in ("cur", "new"):
        (tmp_path / "box" / part).mkdir(parents=True)
    (tmp_path / "box" / "cur" / "1764200001.x:2,S").write_bytes(mail(1, body))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "one.eml").write_bytes(mail(1, body).replace(b"\n", b"\r\n"))
    (tmp_path / "one.mbox").write_bytes(mboxrd([mail(1, body)]))
    pages = walk(tmp_path)
    assert sorted(pages) == ["box", "files", "one.mbox"]
    assert len({record.source_id for found in pages.values() for record in records(found)}) == 1


def test_unchanged_folders_give_nothing(maildir: Path, walk: Walk) -> None:
    cursors = {name: pages[-1].cursor for name, pages in walk(maildir).items()}
    again = walk(maildir, cursors)
    assert all(not records(pages) for pages in again.values())
    assert {name: pages[-1].cursor for name, pages in again.items()} == cursors


def test_a_message_moved_in_from_elsewhere_is_found_whatever_its_name(
    maildir: Path, walk: Walk, mail: Writer
) -> None:
    """Its name sorts before everything that was read, and its date is years back."""
    cursors = {name: pages[-1].cursor for name, pages in walk(maildir).items()}
    outside = maildir.parent / "0000000001.old"
    outside.write_bytes(mail(7_777))
    os.utime(outside, (1, 1))
    outside.rename(maildir / "cur" / "0000000001.old:2,S")
    found = records(walk(maildir, cursors)["Maildir"])
    assert "7777@example.com" in {record.source_id.split("/")[0] for record in found}


def test_a_message_whose_flags_change_during_the_walk_is_still_read(
    maildir: Path, mail: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Filling, "messages", 100)
    source = next(one for one in find(maildir) if one.name == "Maildir")
    walk = Folder(source)
    page = walk.page(None)
    for file in sorted((maildir / "new").iterdir()):
        file.rename(maildir / "cur" / f"{file.name}:2,S")
    seen = len(page.records)
    while page.more:
        page = walk.page(page.cursor)
        seen += len(page.records)
    assert seen == 1_100


def test_a_message_deleted_during_the_walk_is_not_missed_by_others(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Filling, "messages", 100)
    walk = Folder(next(one for one in find(maildir) if one.name == "Maildir"))
    page = walk.page(None)
    victim = max((maildir / "cur").iterdir())
    victim.unlink()
    seen = len(page.records)
    while page.more:
        page = walk.page(page.cursor)
        seen += len(page.records)
    assert seen == 1_099


def test_old_messages_are_not_read_again(maildir: Path, mail: Writer) -> None:
    """Only what changed since the run before began, less a minute, is opened."""
    source = next(one for one in find(maildir) if one.name == "Maildir")
    new = maildir / "new" / "0000000009.new"
    new.write_bytes(mail(9_999))
    changed = new.stat().st_ctime_ns
    found = listing.take(source, changed, None)
    assert (b"0000000009.new", b"new/0000000009.new") in found.queue
    assert len(found.queue) < 1_100
    assert 0 < changed - found.next <= 61_000_000_000


def test_without_a_date_header_the_time_of_delivery_counts(tmp_path: Path, walk: Walk) -> None:
    for part in ("cur", "new"):
        (tmp_path / part).mkdir()
    (tmp_path / "new" / "1764151200.x").write_bytes(b"Subject: no date\n\nx\n")
    [pages] = walk(tmp_path).values()
    assert records(pages)[0].occurred_at == datetime(2025, 11, 26, 10, tzinfo=UTC)


def test_an_eml_edited_in_place_is_read_again(tmp_path: Path, walk: Walk, mail: Writer) -> None:
    for number in range(3):
        (tmp_path / f"{number}.eml").write_bytes(mail(number))
    [(name, pages)] = walk(tmp_path).items()
    assert len(records(pages)) == 3
    cursors = {name: pages[-1].cursor}
    assert not records(walk(tmp_path, cursors)[name])
    (tmp_path / "1.eml").write_bytes(mail(1, body="Edited."))
    found = records(walk(tmp_path, cursors)[name])
    assert any(b"Edited." in record.payload for record in found)


def test_a_single_eml(tmp_path: Path, walk: Walk, mail: Writer) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(mail(1))
    pages = walk(path)["one.eml"]
    assert [record.payload for record in records(pages)] == [mail(1)]
    assert not records(walk(path, {"one.eml": pages[-1].cursor})["one.eml"])


def test_apple_mails_frame_is_taken_off(tmp_path: Path, walk: Walk, mail: Writer) -> None:
    message = mail(1)
    framed = f"{len(message)}      \n".encode() + message + b"<?xml version='1.0'?><plist/>\n"
    (tmp_path / "12.emlx").write_bytes(framed)
    [pages] = walk(tmp_path).values()
    assert [record.payload for record in records(pages)] == [message]


def test_names_that_are_no_text_survive_in_cursors(
    tmp_path: Path, walk: Walk, mail: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL takes no lone surrogates, so no cursor may hold one. Covers R12."""
    monkeypatch.setattr(Filling, "messages", 1)
    folder = os.fsencode(tmp_path) + b"/b\xffx"
    os.mkdir(folder)  # noqa: PTH102 - a name that is no text
    for name in (b"a\xff.eml", b"b\xfe\n.eml", b"c\x01.eml"):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(mail(len(name)))
    pages = walk(tmp_path, afresh=True)
    assert list(pages) == ["b\\xffx"]
    assert len(records(pages["b\\xffx"])) == 3
    for page in pages["b\\xffx"]:
        json.dumps(page.cursor).encode()
        assert all(bad.reason.encode() for bad in page.bad)


def test_links_and_other_strange_entries_are_not_followed(
    tmp_path: Path, walk: Walk, mail: Writer
) -> None:
    """Whoever fills a folder must not choose which files are read. Covers the Folders rules."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"From: root@example.com\n\nsecret\n")
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "1.eml").write_bytes(mail(1))
    (folder / "2.eml").symlink_to(secret)
    (folder / "3.mbox").symlink_to(secret)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "4.eml")
    pages = walk(folder)
    assert list(pages) == ["mail"]
    assert len(records(pages["mail"])) == 1
    assert pages["mail"][-1].notes == {"ignored": "2 entries that are no plain files"}


def test_an_empty_or_headless_file_lands_too(tmp_path: Path, walk: Walk, mail: Writer) -> None:
    (tmp_path / "1.eml").write_bytes(mail(1))
    (tmp_path / "2.eml").write_bytes(b"")
    (tmp_path / "3.eml").write_bytes(b"\x00\xff no mail at all")
    [[page]] = walk(tmp_path).values()
    assert (len(page.records), len(page.bad)) == (2, 1)
    assert page.bad[0].reason == "The message at 2.eml is empty."
