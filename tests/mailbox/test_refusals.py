"""What is no mailbox is refused with one sentence, and a hint what to do."""

from __future__ import annotations

import asyncio
import gzip
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from headrace.errors import BadInput, Skip
from headrace.mailbox.detect import find
from headrace.mailbox.limits import KEPT_OF_OVERSIZE
from headrace.provider import Page
from headrace.providers.mailbox import Mailbox, MailboxConfig

Walk = Callable[..., dict[str, list[Page]]]
Writer = Callable[..., bytes]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty."),
        (b"%PDF-1.7\n", "is a PDF document."),
        (b"!BDN" + bytes(100), "is an Outlook data file (.pst)."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an Outlook message or an old Office document."),
        (b"<!doctype html><p>From: me", "is a web page."),
        (b'{"From": "me"}', "is JSON."),
        (b"Dear diary,\n\nFrom: now on", "is no mailbox."),
        (b"name: value\nother: value\n", "is no mailbox."),
        (bytes(10_000), "is no mailbox."),
        (b"\x1f\x8b\x08\x00damaged", "unpacks to is no mailbox."),
    ],
)
def test_other_files(tmp_path: Path, walk: Walk, content: bytes, sentence: str) -> None:
    path = tmp_path / "thing"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        walk(path)
    assert caught.value.message.endswith(sentence)
    assert caught.value.hint
    assert caught.value.exit_code == 64


def test_what_is_not_there(tmp_path: Path, walk: Walk) -> None:
    with pytest.raises(BadInput, match=r"There is no .*gone"):
        walk(tmp_path / "gone")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(BadInput, match=r"There is no .*loop"):
        walk(tmp_path / "loop")
    with pytest.raises(BadInput, match="There is no"):
        walk(tmp_path / ("x" * 300))


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_what_is_no_plain_file(tmp_path: Path, walk: Walk, kind: str) -> None:
    """Opening a FIFO would wait for ever, a device never end. Covers the Folders rules."""
    path = Path("/dev/zero") if kind == "device" else tmp_path / "fifo"
    if kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(BadInput, match="is not a plain file"):
        walk(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path: Path, walk: Walk) -> None:
    path = tmp_path / "locked.mbox"
    path.write_bytes(b"From a\n")
    path.chmod(0)
    with pytest.raises(BadInput, match="may not be read"):
        walk(path)


def test_a_folder_without_mail(tmp_path: Path, walk: Walk) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "notes.txt").write_text("From me\n")
    with pytest.raises(BadInput, match="holds no mail") as caught:
        walk(tmp_path)
    assert "Takeout" in caught.value.hint


def test_a_folder_whose_only_mailbox_is_broken_says_how(tmp_path: Path, walk: Walk) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 cut short")
    with pytest.raises(BadInput, match=r"a\.zip is a damaged zip archive"):
        walk(tmp_path)


def test_links_that_loop_do_not_hang_a_folder(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "in.mbox").write_bytes(mboxrd([mail(1)]))
    assert list(walk(tmp_path)) == ["a/in.mbox"]


async def test_a_file_that_vanishes_between_pages(
    tmp_path: Path, mboxrd: Writer, mail: Writer
) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes(mboxrd([mail(number) for number in range(600)]))
    provider = Mailbox(MailboxConfig(path=str(path)))
    page = await provider.fetch("a.mbox", "", None)
    path.unlink()
    with pytest.raises(BadInput, match="There is no"):
        await provider.fetch("a.mbox", "", page.cursor)


async def test_a_stream_that_is_no_longer_there(
    tmp_path: Path, mboxrd: Writer, mail: Writer
) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes(mboxrd([mail(1)]))
    with pytest.raises(BadInput, match=r"no mailbox b\.mbox"):
        await Mailbox(MailboxConfig(path=str(path))).fetch("b.mbox", "", None)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"path": ""},
        {"path": "a\0b"},
        {"path": "a", "addresses": ["me"]},
        {"path": "a", "adresses": []},
    ],
)
def test_configurations_that_cannot_be_used(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MailboxConfig.model_validate(config)


def test_addresses_are_lower_cased() -> None:
    config = MailboxConfig(path="x", addresses=[" Me@Example.ORG "])
    assert config.addresses == ["me@example.org"]


def test_thunderbirds_profile(tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer) -> None:
    """Mailboxes without an ending, an index beside each, folders in `.sbd`."""
    (tmp_path / "Inbox").write_bytes(mboxrd([mail(1)]))
    (tmp_path / "Inbox.msf").write_bytes(b"// index")
    (tmp_path / "Inbox.sbd").mkdir()
    (tmp_path / "Inbox.sbd" / "Family").write_bytes(mboxrd([mail(2), mail(3)]))
    (tmp_path / "Trash").write_bytes(b"")
    pages = walk(tmp_path)
    assert {name: len(found[0].records) for name, found in pages.items()} == {
        "Inbox": 1,
        "Inbox.sbd/Family": 2,
    }


def test_an_empty_mailbox_among_others_may_fill_up_later(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    (tmp_path / "a.mbox").write_bytes(mboxrd([mail(1)]))
    (tmp_path / "b.mbox").write_bytes(b"")
    pages = walk(tmp_path)
    assert [len(found[0].records) for found in pages.values()] == [1, 0]
    (tmp_path / "b.mbox").write_bytes(mboxrd([mail(2)]))
    [page] = walk(tmp_path, {"b.mbox": pages["b.mbox"][-1].cursor})["b.mbox"]
    assert len(page.records) == 1


def test_in_a_folder_only_what_calls_itself_a_mailbox_is_complained_about(
    tmp_path: Path, walk: Walk, mboxrd: Writer, mail: Writer
) -> None:
    (tmp_path / "Archive.2019").write_bytes(mboxrd([mail(1)]))
    (tmp_path / "letter.txt").write_bytes(b"From me to you\n\nHello\n")
    (tmp_path / "README").write_bytes(b"Subject: no mail\nFrom: nobody\n\n")
    with zipfile.ZipFile(tmp_path / "holiday.zip", "w") as archive:
        archive.writestr("beach.jpg", b"\xff\xd8\xff")
    (tmp_path / "log.gz").write_bytes(gzip.compress(b"all quiet"))
    (tmp_path / "broken.mbox").write_bytes(b"%PDF-1.7")
    assert [(one.name, one.kind) for one in find(tmp_path)] == [
        ("Archive.2019", "mbox"),
        ("broken.mbox", "unusable"),
    ]
    with pytest.raises(BadInput, match=r"broken\.mbox is a PDF"):
        walk(tmp_path)


def test_dead_letters_are_read_again(tmp_path: Path, mail: Writer) -> None:
    """Where the bytes are all there; a beginning alone must never pass for the message."""
    provider = Mailbox(MailboxConfig(path=str(tmp_path)))
    assert provider.reread("a.mbox", mail(1)).payload == mail(1)
    event = provider.reread("a.ics", b"BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n")
    assert event.source_id == "1"
    for raw in (b"", b"\n\n", b"x" * KEPT_OF_OVERSIZE, b"BEGIN:VEVENT\r\nUID:cut"):
        with pytest.raises(Skip) as caught:
            provider.reread("a.mbox", raw)
        assert caught.value.hint


async def test_a_cancelled_fetch_does_not_disturb_the_next(
    tmp_path: Path, mboxrd: Writer, mail: Writer
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.mbox", mboxrd([mail(number) for number in range(1_200)]))
    provider = Mailbox(MailboxConfig(path=str(path)))
    [plan] = await provider.streams()
    task = asyncio.create_task(provider.fetch(plan.name, "", None))
    await asyncio.sleep(0)
    task.cancel()
    page = await provider.fetch(plan.name, "", None)
    assert len(page.records) == 500
    await provider.aclose()
