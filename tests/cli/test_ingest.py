"""`headrace ingest`: one path or many, however it is written, and whatever lies there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.cli.command import House

from headrace.mailbox.sample import OWNER_ADDRESS, write_sample_mbox

MAIL = (
    "From: a@example.org\r\nTo: b@example.org\r\nSubject: {0}\r\nMessage-ID: <{0}@x>\r\n\r\n{0}\n"
)


def mbox(folder: Path, name: str, *subjects: str) -> Path:
    path = folder / name
    path.write_text(
        "".join(f"From a Mon Jan  5 08:00:00 2026\n{MAIL.format(s)}\n" for s in subjects)
    )
    return path


def test_a_mailbox_twice(house: House) -> None:
    """Covers A1.17, A1.54: what cannot be used is counted and kept, and does not hold up the rest;
    a second time nothing is read again."""
    write_sample_mbox(house.folder / "mail.mbox", messages=299)
    with (house.folder / "mail.mbox").open("a") as file:
        file.write("From nobody Mon Jan  5 08:00:00 2026\n\n")
    ran = house.run("ingest", "mail.mbox", "--address", OWNER_ADDRESS).ok()
    name = str((house.folder / "mail.mbox").resolve())
    assert ran.out.startswith(f"{name}: ")
    assert "headrace dead-letters list" in ran.err
    [first] = house.json("jobs", "list")
    landed = first["summary"]
    assert landed["fetched"] == landed["inserted"] + landed["dead_lettered"] == 300
    assert landed["dead_lettered"] == len(house.json("dead-letters", "list")) > 0
    [again] = house.json("ingest", "mail.mbox", "--address", OWNER_ADDRESS)
    assert (again["connection"], again["fetched"]) == (name, 0)
    # By its name, from the root or from here, it is brought up to date like any other.
    with (house.folder / "mail.mbox").open("a") as file:
        file.write(f"From a Mon Jan  5 08:00:00 2026\n{MAIL.format('newcomer')}\n")
    [grown] = house.json("sync", "mail.mbox")
    assert (grown["connection"], grown["inserted"]) == (name, 1)


def test_several_paths_as_a_shell_gives_them(house: House) -> None:
    """Globs, ~, a path from here, a path from the root, one of them twice: each is one connection,
    and a space in a name is no trouble."""
    home = house.folder / "person"
    home.mkdir()
    for number in range(3):
        mbox(house.folder, f"box {number}.mbox", f"glob{number}a", f"glob{number}b")
    mbox(home, "own.mbox", "tilde")
    line = f"ingest box*.mbox ~/own.mbox './box 1.mbox' '{house.folder}/box 1.mbox' --json"
    ran = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m headrace.cli {line}"],
        cwd=house.folder,
        env={**house.environment, "HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    found = {Path(one["connection"]).name: one["inserted"] for one in json.loads(ran.stdout)}
    assert found == {"box 0.mbox": 2, "box 1.mbox": 2, "box 2.mbox": 2, "own.mbox": 1}
    [hit] = house.json("search", "tilde")
    assert hit["title"] == "tilde"


@pytest.fixture(scope="module")
def strange(shared: House) -> House:
    """A folder with things that are no mailbox."""
    folder = shared.folder
    (folder / "nothing.mbox").touch()
    (folder / "nothing.txt").touch()
    (folder / "none.pdf").write_bytes(b"no pdf at all")
    (folder / "mail.pst").write_bytes(b"!BDN" + bytes(100))
    (folder / "folder").mkdir()
    (folder / "loop.mbox").symlink_to("loop.mbox")
    os.mkfifo(folder / "pipe.mbox")
    (folder / "cut.zip").write_bytes(b"PK\3\4 and then nothing")
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        archive.writestr("photo.jpg", b"\xff\xd8\xff")
    with (
        zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("mail.mbox", "w", force_zip64=True) as member,
    ):
        for _ in range(200):
            member.write(bytes(1 << 20))
    mbox(folder, "good.mbox", "good")
    return shared


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("nothing.mbox", r"nothing\.mbox is empty\.$", "Give an mbox file"),
        ("nothing.txt", r"nothing\.txt: The file is empty\.$", "when it has content"),
        ("none.pdf", r"none\.pdf: The file is named \.pdf and is none inside\.$", "copy it again"),
        ("mail.pst", r"mail\.pst is an Outlook data file", "readpst"),
        ("folder", r"folder holds no mail\.$", "Give an mbox file"),
        ("loop.mbox", r"loop\.mbox", "Check the path"),
        ("pipe.mbox", r"pipe\.mbox is not a plain file\.$", "Name an mbox"),
        ("cut.zip", r"cut\.zip is a damaged zip archive\.$", "copy it again"),
        ("photos.zip", r"photos\.zip holds no mail and no calendar\.$", "Takeout"),
        ("bomb.zip", r"bomb\.zip.* claims to unpack to more than 200 times", "zip bomb"),
    ],
)
def test_no_mailbox(strange: House, name: str, message: str, hint: str) -> None:
    """Refused before anything is made of it, and the others of the same line with it: a person who
    mistyped one of five paths wants to correct the line, not to find four of them done."""
    ran = strange.look("ingest", "good.mbox", name)
    ran.refused(64, message, hint)
    assert ran.out == ""


def test_nothing_is_left_of_a_refusal(strange: House) -> None:
    strange.look("ingest", "mail.pst").refused(64, "Outlook", "readpst")
    assert strange.json("connections", "list") == []
    assert strange.json("jobs", "list") == []


def test_a_name_that_is_no_text(strange: House) -> None:
    raw = os.fsdecode(os.fsencode(strange.folder) + b"/\xff.mbox")
    mbox(strange.folder, Path(raw).name, "hidden")
    strange.look("ingest", raw).refused(64, r"The name of .* is not text", "Rename it")


def test_an_address_that_is_none(strange: House) -> None:
    ran = strange.look("ingest", "good.mbox", "--address", "maya")
    ran.refused(64, r"^'maya' is not a mail address\.$", r"you@example\.org")
