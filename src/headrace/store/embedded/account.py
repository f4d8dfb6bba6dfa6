"""The system account that the server runs under: ours, or for root a dedicated one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.errors import BadInput, Unavailable

if sys.platform != "win32":
    import pwd

DEDICATED = "embedded_postgres"

_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
# Directories must be enterable, files readable; prints the first path that is not.
_FIRST_CLOSED = (
    'for p do if [ -d "$p" ]; then [ -x "$p" ]; else [ -r "$p" ]; fi || '
    '{ printf %s "$p"; exit 0; }; done'
)


@dataclass(frozen=True)
class Account:
    """Whose rights PostgreSQL's programs get. `other`: not our own, because we are root."""

    uid: int
    gid: int
    other: bool

    def run(self, command: Sequence[str], *, seconds: float) -> tuple[int, str]:
        """Run a program under this account and return its exit code and what it printed.

        Raises Unavailable when it cannot be run at all or takes longer than `seconds`.
        """
        # Not our whole environment: it has secrets, and PGPORT and its like would change what the
        # programs do. Without LC_ALL some versions of macOS do not let the server start, and the
        # messages that are looked for might be translated.
        env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        env["LC_ALL"] = "C"
        # A file and not a pipe: a server that inherits a pipe never lets its reader finish. A
        # session of its own: Ctrl-C is for Headrace, which then stops the server in order.
        with tempfile.TemporaryFile() as printed:
            try:
                done = subprocess.run(  # noqa: S603 - the wheel's programs, no shell
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    env=env,
                    start_new_session=True,
                    timeout=seconds,
                    check=False,
                    user=self.uid if self.other else None,
                    group=self.gid if self.other else None,
                    extra_groups=[] if self.other else None,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise Unavailable(
                    f"{Path(command[0]).name} could not be run: {error}.",
                    hint="Set DATABASE_URL to use a PostgreSQL server of your own instead.",
                ) from error
            printed.seek(0)
            return done.returncode, printed.read().decode(errors="replace").strip()

    def first_closed(self, *paths: Path) -> Path | None:
        """The first of `paths` that another account may not enter (directory) or read (file)."""
        if not self.other:
            return None
        _, closed = self.run(["/bin/sh", "-c", _FIRST_CLOSED, "sh", *map(str, paths)], seconds=30)
        return Path(closed) if closed else None

    def make_private(self, folder: Path) -> None:
        """Make `folder` this account's own, closed to others. Raises BadInput when it is not."""
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        found = os.lstat(folder)
        if self.other and found.st_uid == 0:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)
            found = os.lstat(folder)
        # In a shared place like /tmp somebody else may have put the folder there first, with a
        # server of theirs in it that would be given our users' mail.
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        if found.st_uid != self.uid or not private:
            raise BadInput(
                f"{folder} is not a folder that belongs to PostgreSQL's account alone.",
                hint="Remove it, or name another folder in HEADRACE_HOME.",
            )


def account_for(data: Path) -> Account:
    """The account that owns `data`, or that will own it once it is made.

    Raises BadInput when existing data belongs to an account that we cannot act for, Unavailable
    when root has no other account to run the server under and cannot make one.
    """
    ours = os.geteuid()
    owner = data.stat() if data.exists() else None
    if ours != 0:
        if owner and owner.st_uid != ours:
            raise BadInput(
                f"{data} belongs to another account.",
                hint="Run Headrace under that account, or name another folder in HEADRACE_HOME.",
            )
        return Account(ours, os.getegid(), other=False)
    # The owner first: a folder that came from another machine may have other numbers.
    if owner and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, other=True)
    entry = _dedicated()
    return Account(entry.pw_uid, entry.pw_gid, other=True)


def _dedicated() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(DEDICATED)
    except KeyError:
        pass
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command = ["useradd", *options, "--shell", "/usr/sbin/nologin", DEDICATED]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours, no shell
        reason = done.stderr.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    try:
        return pwd.getpwnam(DEDICATED)  # ours, or a neighbour's that was faster
    except KeyError:
        raise Unavailable(
            "PostgreSQL does not run as root, and no account could be made for it: "
            f"{reason or 'useradd failed'}.",
            hint=f"Run Headrace as a normal user, make an account named {DEDICATED}, "
            "or set DATABASE_URL.",
        ) from None
