"""Packages of npm that tests run, installed once, into the user's cache and not into the tree."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import platformdirs
import pytest

_PATIENCE = 60.0


def installed(package: str, *others: str) -> Path:
    """The folder where node finds the package, which is named with its version, and what else it
    needs. Skips the test where it cannot be had."""
    name = package.partition("@")[0]
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip(f"The real {name} is not tested: there is no node and npm here.")
    folder = Path(platformdirs.user_cache_dir("headrace-tests")) / package.replace("@", "-")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"]
            try:
                subprocess.run(
                    [*command, package, *others],
                    cwd=folder,
                    check=True,
                    capture_output=True,
                    timeout=_PATIENCE,
                )
            except (OSError, subprocess.SubprocessError):
                pytest.skip(f"The real {name} is not tested: npm cannot install it here.")
            (folder / ".complete").touch()
    return folder
