"""Memory does not grow with the mailbox: measured from outside, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

_PROGRAM = """
import asyncio, psutil, sys
from headrace.providers.mailbox import Mailbox, MailboxConfig

async def main() -> None:
    provider = Mailbox(MailboxConfig(path=sys.argv[1]))
    [plan] = await provider.streams()
    count, cursor, more, peak = 0, None, True, 0
    while more:
        page = await provider.fetch(plan.name, "", cursor)
        count += len(page.records) + len(page.bad)
        cursor, more = page.cursor, page.more
        peak = max(peak, psutil.Process().memory_info().rss)
    print(count, peak // 1024)

asyncio.run(main())
"""


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "zip"])
def test_a_mailbox_of_200_mib_is_walked_in_little_memory(
    tmp_path: Path, mboxrd: Callable[..., bytes], mail: Callable[..., bytes], packed: bool
) -> None:
    block = mboxrd([mail(number, body="words of a mail\n" * 400) for number in range(330)])
    times = 200 * 2**20 // len(block)
    path = tmp_path / "big.mbox"
    with path.open("wb") as file:
        for _ in range(times):
            file.write(block)
    if packed:
        with zipfile.ZipFile(tmp_path / "big.zip", "w", zipfile.ZIP_STORED) as archive:
            archive.write(path, "big.mbox")
        path.unlink()
        path = tmp_path / "big.zip"
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(path)], capture_output=True, text=True, check=True
    )
    count, peak_kib = map(int, run.stdout.split())
    assert count == 330 * times
    assert peak_kib < 120 * 1024
