"""Headrace as pip installs it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
_OFFLINE = ["--quiet", "--no-deps", "--no-build-isolation"]
"""What it needs is there already: nothing is asked of an index."""


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """The folder of programs of an empty environment."""
    venv.create(tmp_path / "fresh", with_pip=False)
    return tmp_path / "fresh" / "bin"


def test_it_is_installed_editable(fresh: Path, tmp_path: Path) -> None:
    """Covers A0.14, A4.10: `pip install -e .` in an environment of its own brings the program."""
    # Its dependencies and the builder are those of this environment.
    environment = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
    command = [*_PIP, "--python", str(fresh / "python"), "install", *_OFFLINE]
    subprocess.run(
        [*command, "--ignore-installed", "--editable", str(ROOT)],
        check=True,
        cwd=tmp_path,
        env=environment,
        timeout=120,
    )
    said = subprocess.run(
        [fresh / "headrace", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment,
        timeout=60,
    )
    assert "headrace" in said.stdout


def test_a_wheel_holds_all_that_stands_beside_the_code(tmp_path: Path) -> None:
    """SQL, models' and migrations' files: what is not Python is read at run time as well."""
    subprocess.run(
        [*_PIP, "wheel", *_OFFLINE, "--wheel-dir", str(tmp_path), str(ROOT)],
        check=True,
        timeout=120,
    )
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("headrace/")}
    source = ROOT / "src"
    files = {
        one.relative_to(source).as_posix()
        for one in (source / "headrace").rglob("*")
        if one.is_file() and "__pycache__" not in one.parts
    }
    assert any(name.endswith(".sql") for name in files)
    assert files <= packed
