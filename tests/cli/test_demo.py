"""`headrace demo`: the whole story as one command."""

from __future__ import annotations

import json

from tests.cli.command import House

from headrace.store import embedded


def test_the_demo(bare: House) -> None:
    """Covers A2.1, A2.8, A2.34: it lands, kills itself in the middle, goes on, counts and searches;
    and what it says to try next works."""
    ran = bare.run("demo", "--events", "5000", "--json").ok()
    told = json.loads(ran.out)
    assert (told["events"], told["lost"], told["doubled"]) == (5_000, 0, 0)
    assert 1_000 < told["killed_at"] < 5_000
    assert "SIGKILL" in ran.err
    assert "Nothing lost, nothing doubled" in ran.err
    assert embedded.status(bare.home / "demo" / "postgres").state == "stopped"
    [line] = [one for one in ran.err.splitlines() if "HEADRACE_HOME=" in one]
    assert line.endswith('search "incident"')
    found = bare.json("search", "incident", HEADRACE_HOME=str(bare.home / "demo"))
    assert "incident" in found[0]["title"].lower()
