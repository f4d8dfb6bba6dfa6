"""What `postmaster.pid` says, and whether to believe it.

A server that was killed leaves the file behind, and its number goes to some other process in
time. PostgreSQL then takes that process for the server and refuses to start.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from headrace.store.embedded.conf import PORT

# Above what any system gives to a process: PostgreSQL looks for it, finds nobody, and goes on.
_NOBODY = 2**31 - 1


def postmaster(data: Path) -> int | None:
    """The process id of the server that runs on `data`, if the file names a living one."""
    lines = _lines(data)
    try:
        pid = int(lines[0])
    except (IndexError, ValueError):
        return None
    # As pg_ctl runs it. The server's own children have other command lines.
    return pid if _command(pid).endswith(b"/postgres -D " + os.fsencode(data)) else None


def says_ready(data: Path) -> bool:
    """Whether the server has written down that it accepts connections."""
    lines = _lines(data)
    return len(lines) > 7 and lines[7].strip() == "ready"


def disown(data: Path, sockets: Path) -> None:
    """Let a server start although what a killed one left behind names a living process.

    Only to be called when `postmaster` found none and nothing answers. The file itself stays:
    its shared memory line is how PostgreSQL notices children of the killed server that still
    write, and waits for them to end.
    """
    (sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    file = data / "postmaster.pid"
    lines = _lines(data)
    if not lines:
        file.unlink(missing_ok=True)  # empty after a power cut: PostgreSQL would refuse it
    elif lines[0] != str(_NOBODY):
        # In one write, and never shorter than before: a crash here leaves one of the two.
        with file.open("r+b", buffering=0) as open_file:
            text = "\n".join([str(_NOBODY), *lines[1:], ""])
            open_file.write(text.encode(errors="surrogateescape"))


def _lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text("utf-8", "surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def _command(pid: int) -> bytes:
    """The command line of a process; empty when there is none, or it is not ours to see."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").strip()
    except OSError:
        return b"" if Path("/proc/self").exists() else _command_by_ps(pid)


def _command_by_ps(pid: int) -> bytes:
    ask = ["ps", "-ww", "-o", "command=", "-p", str(pid)]  # macOS has no /proc
    return subprocess.run(ask, capture_output=True, check=False).stdout.strip()  # noqa: S603
