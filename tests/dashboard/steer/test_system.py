"""The system page: charts, what is kept, and schedules steered from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.api.conftest import House

from headrace.store import keys

if TYPE_CHECKING:
    from tests.dashboard.steer.conftest import Browser


def schedules(house: House, tenant: str) -> list[dict[str, object]]:
    return house.execute(
        "SELECT schedule_id, spec, paused FROM headrace.schedules WHERE tenant_id = %s", tenant
    )


def test_schedules_are_added_paused_run_and_removed(house: House, browser: Browser) -> None:
    house.connection("ann", "beat", "shop")
    ann = browser("beat")
    form = {"kind": "sync", "source": "shop", "spec": "every 15m"}
    assert "from now on" in ann.post("/schedules", data=form).text
    [made] = schedules(house, "beat")
    here = f"/schedules/{made['schedule_id']}"
    assert made["spec"] == "every 15m"
    assert "It is paused." in ann.post(f"{here}/pause").text
    assert schedules(house, "beat")[0]["paused"] is True
    assert "It goes on from now." in ann.post(f"{here}/resume").text
    assert "A job is on its way." in ann.post(f"{here}/run").text
    assert browser("beat-2").post(f"{here}/remove").status_code == 404
    assert "It is removed." in ann.post(f"{here}/remove").text
    assert schedules(house, "beat") == []


def test_a_schedule_that_cannot_be_is_answered_in_words(house: House, browser: Browser) -> None:
    ann = browser("offbeat")
    for form, said in (
        ({"spec": "now and then"}, "now and then"),
        ({"spec": "every 1h", "source": "shop"}, "There is no source"),
        ({"spec": "every 1h", "kind": "nothing"}, "nothing"),
    ):
        text = ann.post("/schedules", data=form).text
        notice = re.search(r'<p class="notice good" role="status">(.*?)</p>', text)
        assert notice is not None
        assert said in notice[1]
    assert schedules(house, "offbeat") == []


def test_charts_are_drawn_by_the_server(house: House, browser: Browser) -> None:
    house.execute(
        "INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, status, created_at,"
        " started_at, completed_at) SELECT 'charts', 'ann', 'charts-' || n, 'replay',"
        " CASE WHEN n = 1 THEN 'FAILED' ELSE 'SUCCEEDED' END, t - n * interval '1 s',"
        " t, t FROM generate_series(1, 20) n, LATERAL (SELECT now() - n * interval '1 min' AS t) x"
    )
    text = browser("charts").get("/system").text
    ended, took = (
        re.search(f'id="{one}".*?</section>', text, re.DOTALL) for one in ("ended", "took")
    )
    assert ended is not None
    assert took is not None
    assert "20 jobs, 1 of them failed" in ended[0]
    assert ended[0].count("<rect") == 20
    assert took[0].count("<circle") == 40
    assert "at most 20.0 s" in took[0]
    assert "style=" not in text


def test_what_is_the_installations_own_is_shown_to_it_only(house: House, browser: Browser) -> None:
    own, other = browser(keys.TENANT).get("/system").text, browser("charts").get("/system").text
    for part in ("workers", "queues", "size", "retention"):
        assert f'id="{part}"' in own
        assert f'id="{part}"' not in other
    assert 'id="redis"' not in own
    house.execute(
        "INSERT INTO headrace.redis_servers (tenant_id, user_id, address)"
        " VALUES ('default', 'local', 'redis.example:6379')"
    )
    assert "redis.example:6379" in browser(keys.TENANT).get("/system").text
