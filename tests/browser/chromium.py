"""A real browser: Chromium without a window, which reaches this machine and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from selenium import webdriver

WIDE = (1280, 900)
NARROW = (380, 800)
"""A small telephone, in CSS pixels."""

_OPTIONS = (
    *("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    "--no-sandbox",  # root, as which containers and CI run, has none
    "--lang=en",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    f"--window-size={WIDE[0]},{WIDE[1]}",
)

_HEARD = """
const listen = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (name, told) {
  listen.call(this, name, (event) => { told(event); if (event.data) window.heard = event.data; });
};
"""
"""Keeps what a page was last told by itself, once the page has done with it what it does."""

Driver = webdriver.Chrome


@contextmanager
def started() -> Iterator[Driver]:
    """A browser, until the context ends. Skips where there is none: `make test` installs one where
    it may."""
    program, steered = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or steered is None:
        pytest.skip(
            "THE DASHBOARD IS NOT TESTED IN A BROWSER: chromium and chromedriver are not here, and"
            " cannot be had. On Debian: apt-get install chromium chromium-driver"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for one in _OPTIONS:
        options.add_argument(one)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Driver(options=options, service=webdriver.ChromeService(steered))
    try:
        # A page that is rewritten between two looks at it is never answered from what was kept.
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _HEARD})
        yield driver
    finally:
        driver.quit()


def scheme(driver: Driver, name: str) -> None:
    """What the browser says that its user likes: `light` or `dark`."""
    liked = [
        {"name": "prefers-color-scheme", "value": name},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": liked})


def scripts(driver: Driver, *, on: bool) -> None:
    """Whether pages may run scripts, from the next one on."""
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not on})


@contextmanager
def narrow(driver: Driver) -> Iterator[None]:
    """The screen of a telephone, while the context lasts."""
    size = {"width": NARROW[0], "height": NARROW[1], "deviceScaleFactor": 1, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
