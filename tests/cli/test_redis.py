"""What the command line says of a Redis: that it answers, how far it is, or what is wrong."""

from __future__ import annotations

from pathlib import Path

from tests.cli.command import House
from tests.valkey import Valkey


def test_check_says_how_redis_is(house: House, tmp_path: Path) -> None:
    """Covers A0.19: REDIS_URL names it; without, there is none, and nothing is missed."""
    assert house.json("check")["redis"] == {}
    server = Valkey(tmp_path, password="hidden-word").start()
    try:
        server.add("gmail:fetch", "{}")
        found = house.json("check", REDIS_URL=server.url)["redis"]
        assert found["answers"] is True
        assert found["server"].startswith("valkey ")
        assert (found["lag"], found["pending"], found["dead"]) == (1, 0, 0)
        said = house.look("check", REDIS_URL=server.url).ok().out
        assert f"at 127.0.0.1:{server.port}: lag 1, pending 0, dead 0" in said
        wrong = house.look("check", REDIS_URL=server.url.replace("hidden", "wrong")).ok().out
        assert "REDIS_URL has to name its user and password" in " ".join(wrong.split())
        server.kill()
        away = house.look("check", REDIS_URL=server.url).ok()
        assert "jobs of the API and the schedule go on" in away.out
        assert not any("-word" in one for one in (said, wrong, away.out, away.err))
    finally:
        server.kill()


def test_a_url_that_is_none_is_refused_at_once(house: House) -> None:
    """By what looks, and by what would stand at it."""
    refused = [house.look("check", REDIS_URL=url) for url in ("host:6379", "http://h", "redis://")]
    refused.append(house.run("worker", REDIS_URL="redis://host:port"))
    for ran in refused:
        assert ran.code == 64
        assert "REDIS_URL cannot be used." in ran.err
        assert "redis://localhost:6379" in ran.err
