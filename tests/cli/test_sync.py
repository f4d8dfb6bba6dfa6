"""`headrace sync`: from the environment alone, by spec, by name, all of them; again; at once; and
in runs that are capped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from tests.cli.command import House

if TYPE_CHECKING:
    from tests.cli.conftest import Api, Landed

KEY = "the-right-key"


def test_the_environment_is_enough(house: House, twin: str, landed: Landed) -> None:
    """Covers A2.4, A2.5, A2.6, A2.7, A2.8, A2.9, A2.22: a database with nothing in it, three
    variables, and one command; BATCH_SIZE is what is asked for, RATE_LIMIT_DELAY_MS the least time
    between two requests. The second run finds everything unchanged."""
    _empty(house.environment["DATABASE_URL"])
    environment = {"API_BASE_URL": twin, "API_KEY": KEY, "BATCH_SIZE": "250"}
    first = house.run("sync", **environment).ok()
    assert first.out == "datasync: 1,000 new, 0 unchanged of 1,000 fetched.\n"
    landed(house)
    second = house.run("sync", "--json", RATE_LIMIT_DELAY_MS="400", **environment).ok()
    assert second.seconds > 3 * 0.4
    [job] = second.json
    assert job["connection"] == "datasync"
    assert (job["status"], job["inserted"], job["unchanged"]) == ("SUCCEEDED", 0, 1_000)
    assert (job["pages"], job["error_code"], job["capped"]) == (4, None, False)
    assert second.seconds < 20
    landed(house)
    assert KEY not in str(house.json("connections", "list"))


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA headrace CASCADE")
        connection.execute("DROP SCHEMA dbos CASCADE")


def test_by_name_and_all_of_them(house: House, api: Api) -> None:
    """What was described once is known by its name; without one, everything is brought up to
    date."""
    nothing = house.look("sync")
    nothing.refused(64, r"^There is nothing to sync yet\.$", r"headrace sync --spec .*ingest")
    begun = [
        house.start("sync", "--spec", api.spec(house, name=name), SHOP_KEY=KEY)
        for name in ("shop", "mart")
    ]
    for running in begun:
        running.ended().ok()
    both = house.json("sync", SHOP_KEY=KEY)
    assert [(one["connection"], one["unchanged"]) for one in both] == [
        ("mart", 1_000),
        ("shop", 1_000),
    ]
    house.look("sync", "shopp").refused(64, r"^There is no connection 'shopp'", r"mean shop\?")
    house.look("sync", "shop.yaml").refused(64, r"no connection 'shop\.yaml'", r"--spec shop\.yaml")


def test_two_at_once(house: House, twins: Callable[..., str], landed: Landed) -> None:
    """Covers A2.41, A1.17: the second joins the first one's job; both end well, with the same
    numbers, and nothing is fetched or landed twice."""
    url = twins(total=2_000, cursor_ttl_s=0, latency_ms=20)
    both = [house.start("sync", "--json", API_BASE_URL=url) for _ in range(2)]
    [first], [second] = (running.ended().ok().json for running in both)
    assert first["job_id"] == second["job_id"]
    assert first["inserted"] == second["inserted"] == 2_000
    assert first["pages"] == 20
    landed(house, 2_000)


def test_runs_that_are_capped(house: House, api: Api, landed: Landed) -> None:
    """Covers A1.2, A1.6, A1.8: a thousand records, three hundred a run: four runs, each of which
    goes on where the one before it stopped; nothing is lost, doubled or fetched twice."""
    spec = Path(api.spec(house))
    spec.write_text(f"{spec.read_text()}items_per_run: 300\n")
    first = house.run("sync", "--spec", str(spec), SHOP_KEY=KEY).ok()
    assert first.out == "shop: 300 new, 0 unchanged of 300 fetched.\n"
    assert "the next one goes on where it stopped" in first.err
    runs = [house.json("sync", "shop", SHOP_KEY=KEY)[0] for _ in range(3)]
    assert [(run["inserted"], run["capped"]) for run in runs] == [
        (300, True),
        (300, True),
        (100, False),
    ]
    assert {(run["status"], run["unchanged"]) for run in runs} == {("SUCCEEDED", 0)}
    jobs = house.json("jobs", "list")
    assert [job["summary"]["capped"] for job in jobs] == [False, True, True, True]
    assert [job["summary"]["timed_out"] for job in jobs] == [False] * 4
    landed(house)


def test_a_cap_of_nothing_is_refused(house: House, api: Api) -> None:
    spec = Path(api.spec(house))
    spec.write_text(f"{spec.read_text()}items_per_run: 0\n")
    ran = house.look("sync", "--spec", str(spec))
    ran.refused(64, r"line 6: items_per_run cannot be used", r"rest-spec\.md")
