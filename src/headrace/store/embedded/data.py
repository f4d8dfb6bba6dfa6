"""Making the data of a new cluster, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

from headrace.errors import BadInput, Unavailable
from headrace.store.database import disk_full
from headrace.store.embedded.account import Account
from headrace.store.embedded.programs import version

_SECONDS = 120
_FULL = ("No space left on device", "Disk quota exceeded", "Disc quota exceeded")
# The letters of every language count as letters in C.UTF-8: with C alone, trigram search does not
# see the others. macOS lacks it in older versions, and has the rest.
_LOCALES = ("C.UTF-8", "en_US.UTF-8", "UTF-8", "C")


def check(data: Path) -> bool:
    """Whether `data` has a cluster that these programs can run; False when there is none yet.

    Raises BadInput for data of another major version, or when something else lies there.
    """
    try:
        made_by = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if data.exists() and any(data.iterdir()):
            raise BadInput(
                f"{data} holds files that are not a PostgreSQL cluster.",
                hint="Move them away, or name another folder in HEADRACE_HOME.",
            ) from None
        return False
    ours = version().split(".")[0]
    if made_by != ours:
        raise BadInput(
            f"{data} was made by PostgreSQL {made_by}, and this Headrace brings {ours}.",
            hint="Write a backup with the Headrace that made it and restore it with this one.",
        )
    return True


def make(data: Path, *, bin_folder: Path, account: Account) -> None:
    """Make the cluster in `data`. Raises Unavailable with what initdb said when it cannot."""
    part = data.with_name(f"{data.name}.part")
    said = ""
    for name in _LOCALES:
        shutil.rmtree(part, ignore_errors=True)  # from a start that was killed
        account.make_private(part)
        code, said = account.run(_initdb(part, bin_folder, name), seconds=_SECONDS)
        if code == 0:
            break
        if "invalid locale name" not in said:
            raise _failed(part, said)
    else:
        raise _failed(part, said)
    with (part / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\n# Settings of your own go below this line.\ninclude 'headrace.conf'\n")
    part.rename(data)


def _initdb(part: Path, bin_folder: Path, locale: str) -> list[str]:
    return [
        str(bin_folder / "initdb"),
        f"--pgdata={part}",
        "--username=postgres",
        # Whoever can enter the socket's folder is the owner; the network is closed anyway.
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        # Sorts by byte and knows upper and lower case without the system's help: an index made
        # here stays right under the next version of the system's locales.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        f"--lc-ctype={locale}",
        "--no-instructions",
    ]


def _failed(part: Path, said: str) -> Unavailable:
    shutil.rmtree(part, ignore_errors=True)
    if full(said):
        return disk_full()
    return Unavailable(
        f"PostgreSQL could not make its data in {part.parent}.",
        hint=f"Is the disk full or read-only? initdb ended with: {tail(said)}",
    )


def full(said: str) -> bool:
    """Whether a program of PostgreSQL's says that the disk is full."""
    return any(words in said for words in _FULL)


def tail(text: str, lines: int = 5) -> str:
    """The last lines of a program's output, as part of a sentence."""
    last = [line.strip() for line in text.splitlines() if line.strip()][-lines:]
    return " | ".join(last) or "nothing at all."
