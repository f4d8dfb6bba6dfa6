"""All pages of the dashboard, each looked at once: what it weighs, and for whom it is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.routing import Route
from tests import npm
from tests.browser import chromium, pictures
from tests.browser.visitor import Visitor

from headrace.dashboard import page, routes
from headrace.dashboard.entry import LIVE

AXE = "axe-core@4.14.1"
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_RULES = """
const [only, done] = arguments;
const told = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target}: ${node.html}`);
axe.run(document, {runOnly: only, resultTypes: ["violations"]})
  .then((found) => done(found.violations.flatMap(told)), (error) => done([String(error)]));
"""
_WEIGHT = """
const page = performance.getEntriesByType("navigation")[0];
const others = performance.getEntriesByType("resource");
return [page, ...others].reduce((sum, one) => sum + one.transferSize, 0);
"""
_SECONDS = """
const painted = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
const page = performance.getEntriesByType("navigation")[0];
return Math.max(painted, page.domContentLoadedEventEnd) / 1000;
"""
_STATUS = "return performance.getEntriesByType('navigation')[0].responseStatus"
_SIDEWAYS = """
const whole = document.documentElement;
if (whole.scrollWidth <= whole.clientWidth) return [];
const moves = (one) => getComputedStyle(one).overflowX === "auto";
const beyond = (one) => one.getBoundingClientRect().right > whole.clientWidth;
const held = (one) => one && (moves(one) || held(one.parentElement));
return [...document.querySelectorAll("body *")]
  .filter((one) => beyond(one) && !held(one.parentElement))
  .map((one) => one.outerHTML.slice(0, 200));
"""


class Seen(NamedTuple):
    """One page: how it was answered, bytes and seconds of its first view, what breaks a rule of
    accessibility in a light and in a dark scheme, and what is beyond a telephone's screen."""

    path: str
    pattern: str
    title: str
    status: int
    bytes: int
    seconds: float
    light: list[str]
    dark: list[str]
    broader: list[str]


def patterns() -> dict[str, Route]:
    """The addresses of all pages, as the code has them."""
    assert routes.router.routes, "every module of the dashboard has been imported"
    found = [one for one in page.router.routes if isinstance(one, Route)]
    return {one.path: one for one in found if not one.path.startswith(LIVE)}


def walk(visitor: Visitor, first: list[str]) -> Iterator[tuple[str, str]]:
    """Go to one page of each pattern, as links lead there; its path and its pattern. The pages
    named `first` are gone to as they are."""
    ways, left, gone = patterns(), list(first), set[str]()
    left += [path for path in ways if "{" not in path]
    while left:
        path = left.pop(0)
        pattern = _pattern(ways, path)
        if pattern is None or pattern in gone:
            continue
        gone.add(pattern)
        visitor.open(path)
        left += visitor.links()
        yield path, pattern


def look(visitor: Visitor, path: str, pattern: str) -> Seen:
    """What is to be said of the page that the visitor is on."""
    driver = visitor.driver
    weight, seconds = driver.execute_script(_WEIGHT), driver.execute_script(_SECONDS)
    script = npm.installed(AXE) / "node_modules/axe-core/axe.min.js"
    driver.execute_script(script.read_text("utf-8"))
    light = driver.execute_async_script(_RULES, {"type": "tag", "values": _STANDARDS})
    pictures.take(driver, pattern, "light")
    chromium.scheme(driver, "dark")
    dark = driver.execute_async_script(_RULES, {"type": "rule", "values": ["color-contrast"]})
    pictures.take(driver, pattern, "dark")
    chromium.scheme(driver, "light")
    with chromium.narrow(driver):
        broader = driver.execute_script(_SIDEWAYS)
        if pattern == "/":
            pictures.take(driver, pattern, "narrow")
    status = driver.execute_script(_STATUS)
    return Seen(path, pattern, driver.title, status, weight, seconds, light, dark, broader)


def _pattern(ways: dict[str, Route], path: str) -> str | None:
    place = urlsplit(path).path
    return next((one for one, way in ways.items() if way.path_regex.match(place)), None)
