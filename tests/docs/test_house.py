"""What is checked in names no package registry and no path of somebody's machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

# With a space for each dot and without slashes, so that this file names none either.
HOSTS = ["pypi org", "pythonhosted org", "npmjs org", "npmjs com", "yarnpkg com", "crates io"]
HOSTS += ["rubygems org", "proxy golang org", "repo maven apache org"]
# A person's folder, root's or a workspace's, followed by a name.
FOLDERS = ["home", "Users", "root", "workspace", "workspaces", "mnt", "work"]

_BAD = re.compile(
    "|".join(
        [one.replace(" ", r"\.") for one in HOSTS]
        + [rf"(?<![\w.~*])/{one}/\w" for one in FOLDERS]
        + [r"[A-Z]:\\+Users"]
    ).encode()
)


def test_no_file_names_a_registry_or_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    names = [name.decode() for name in listed.split(b"\0") if name]
    assert "README.md" in names
    found = [
        f"{name}:{number}: {line[:200]!r}"
        for name in names
        if (ROOT / name).is_file()
        for number, line in enumerate((ROOT / name).read_bytes().splitlines(), 1)
        if _BAD.search(line)
    ]
    assert not found


def test_the_lock_names_no_address() -> None:
    """It installs from whatever index the machine is configured for."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert "--hash=sha256:" in text
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links|--trusted-host| @ ", text)


def test_one_command_checks_everything() -> None:
    """Covers A4.19, A1.55: `make check` runs style, types and the suite, and formats nothing."""
    said = subprocess.run(
        ["make", "--dry-run", "--always-make", "check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for command in ("ruff check .", "ruff format --check .", "mypy", "pytest"):
        assert f"bin/{command}" in said
