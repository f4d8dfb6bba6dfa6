"""Rows of a list in a real browser: they do not move under the mouse, and none vanishes there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from tests.api.conftest import House
from tests.dashboard.serving import awaited

chromium = pytest.importorskip("tests.browser.chromium", reason="there is no browser to test with")

CSS = "css selector"


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with chromium.started() as made:
        yield made


@pytest.fixture(scope="module")
def base(house: House, driver: Any) -> Iterator[str]:
    """Where the service is served."""
    config = uvicorn.Config(house._client.app, port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    awaited(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    driver.get("about:blank")  # a page that is looked at keeps its connection
    server.should_exit = server.force_exit = True
    thread.join(30)


def made(house: House, first: int, last: int, status: str = "SUCCEEDED") -> None:
    house.execute(
        "INSERT INTO headrace.jobs (tenant_id, user_id, job_id, kind, status, created_at,"
        " started_at, completed_at) SELECT 'rows', 'ann', 'r' || n, 'replay', %s, t, t, t"
        " FROM generate_series(%s::int, %s::int) n,"
        " LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 s' AS t) x",
        *(status, first, last),
    )


class Page:
    """The list of jobs as somebody sees it."""

    def __init__(self, driver: Any, base: str, asked: str = "") -> None:
        self._driver = driver
        driver.get(f"{base}/jobs{asked}")

    def one(self, css: str) -> Any:
        return self._driver.find_element(CSS, css)

    def ids(self) -> list[str]:
        found = "return [...document.querySelectorAll('#jobs tr')].map((row) => row.id.slice(4))"
        ids: list[str] = self._driver.execute_script(found)
        return ids

    def says(self, text: str) -> None:
        """Wait until the button that lets rows in says so."""
        awaited(lambda: self.one("[data-let-in=jobs]").text == text)


def test_new_rows_wait_and_old_ones_stay(house: House, driver: Any, base: str) -> None:
    """Nothing moves by a pixel, nothing that is ticked is unticked, whatever comes or goes."""
    made(house, 1, 50)
    driver.get(f"{base}/login")
    driver.find_element(CSS, "#key").send_keys(house.key("rows"))
    driver.find_element(CSS, "button.main").click()
    page = Page(driver, base)
    before = page.ids()
    assert before == [f"r{n}" for n in range(50, 0, -1)]
    page.one("#job-r25 input").click()
    place = page.one("#job-r25").location["y"]
    made(house, 51, 62)
    page.says("12 new")
    house.execute("DELETE FROM headrace.jobs WHERE job_id = 'r30'")
    awaited(lambda: "gone" in (page.one("#job-r30").get_attribute("class") or ""))
    assert page.ids() == before  # r1 has been pushed off the page, and r30 is no more
    assert page.one("#job-r25").location["y"] == place
    page.one("[data-let-in=jobs]").click()
    awaited(lambda: page.ids()[0] == "r62")
    assert len(page.ids()) == 50
    assert "r30" not in page.ids()
    assert page.one("#job-r25 input").is_selected()
    assert not page.one("[data-let-in=jobs]").is_displayed()
    # In a list of one status, what has come into another stays until somebody wants it gone.
    house.execute(
        "UPDATE headrace.jobs SET status = 'FAILED' WHERE job_id IN ('r60', 'r61', 'r62')"
    )
    page = Page(driver, base, "?status=failed")
    assert page.ids() == ["r62", "r61", "r60"]
    house.execute("UPDATE headrace.jobs SET status = 'SUCCEEDED' WHERE job_id = 'r61'")
    page.says("1 gone")
    assert page.ids() == ["r62", "r61", "r60"]
    page.one("[data-let-in=jobs]").click()
    awaited(lambda: page.ids() == ["r62", "r60"])
    assert [one for one in driver.get_log("browser") if one["level"] == "SEVERE"] == []
