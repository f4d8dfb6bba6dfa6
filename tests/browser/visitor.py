"""Somebody at a browser, who finds things by what they are called, as people do."""

from __future__ import annotations

import time
from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase
from typing import TypeVar

import pytest
from selenium.common.exceptions import (
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from tests.browser.chromium import Driver

PATIENCE = 60.0
"""Seconds until what has to happen has happened, on a machine that is busy with other things."""

Found = TypeVar("Found")

_MOVED = (StaleElementReferenceException, NoSuchElementException, ElementNotInteractableException)
_LINKS = """
const drawn = (address) => address.baseVal === undefined ? address : address.baseVal;
return [...document.querySelectorAll("main a")].map((one) => drawn(one.href));
"""
_IDLE = """
const idle = (one) => !one.form || one.type === "button";
const shown = (one) => one.checkVisibility({visibilityProperty: true});
return [...document.querySelectorAll("button, input, select, textarea")]
  .filter((one) => shown(one) && !one.dataset.checkAll && idle(one)).map((one) => one.outerHTML);
"""
_MAIN = (By.TAG_NAME, "main")


class Visitor:
    """What they do; each waits until it can be done, and fails with what the page shows."""

    def __init__(self, driver: Driver, base: str) -> None:
        self.driver = driver
        self.base = base

    def open(self, path: str) -> Visitor:
        """Go to a page of the service, or to any address."""
        self.driver.get(path if path.startswith("http") else self.base + path)
        return self

    @property
    def path(self) -> str:
        """Where they are, without the host."""
        return self.driver.current_url.removeprefix(self.base)

    @property
    def text(self) -> str:
        """What the page says."""
        return self.driver.find_element(*_MAIN).text

    def sees(self, *texts: str) -> Visitor:
        """Wait until the page says all of this, in letters of any size."""

        def said() -> bool:
            text = self.text.lower()
            return all(one.lower() in text for one in texts)

        self.awaits(said, " and ".join(texts))
        return self

    def presses(self, name: str, within: str = "") -> Visitor:
        """Press the button of that name; `within` is the heading of its card."""
        self._on(_called("button", name, within), WebElement.click)
        return self

    def follows(self, name: str, within: str = "") -> Visitor:
        """Follow the link of that name."""
        self._on(_called("a", name, within), WebElement.click)
        return self

    def types(self, label: str, text: str) -> Visitor:
        """Type into the field with that label, which then has only this."""

        def put(field: WebElement) -> None:
            field.clear()
            field.send_keys(text)

        self._on(_labelled(label), put)
        return self

    def ticks(self, label: str) -> Visitor:
        """Tick the box with that label."""
        self._on(_labelled(label), WebElement.click)
        return self

    def value(self, label: str) -> str:
        """What stands in the field with that label."""
        return self._on(_labelled(label), lambda field: str(field.get_property("value")))

    def ticked(self, label: str) -> bool:
        """Whether the box with that label is ticked."""
        return self._on(_labelled(label), WebElement.is_selected)

    def rows(self, list_id: str) -> list[str]:
        """The ids of the rows of a list, from above."""
        found = "return [...document.getElementById(arguments[0]).children].map((row) => row.id)"
        rows: list[str] = self.driver.execute_script(found, list_id)
        return rows

    def listed(self, heading: str) -> str:
        """What the card of that heading says."""
        return self._on(_card(heading), lambda card: card.text)

    def links(self) -> list[str]:
        """The addresses on the page that are the service's own."""
        there: list[str] = self.driver.execute_script(_LINKS)
        return [one.removeprefix(self.base) for one in there if one.startswith((self.base, "/"))]

    def idle_controls(self) -> list[str]:
        """The controls in sight that do nothing where there are no scripts."""
        shown: list[str] = self.driver.execute_script(_IDLE)
        return shown

    def complaints(self) -> list[str]:
        """What the browser has complained of since this was last asked: scripts that failed, and
        whatever the policy of the page forbade."""
        log = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [one["message"] for one in log if one["level"] in ("WARNING", "SEVERE")]

    def hears(self, text: str) -> Visitor:
        """Wait until the page has been told this by the server, whether it shows it or not."""
        said = "return (window.heard ?? '').includes(arguments[0])"
        self.awaits(lambda: self.driver.execute_script(said, text), f"told {text!r}")
        return self

    # --- by the keyboard --------------------------------------------------------------------------

    def tabs(self, until: str = "") -> Visitor:
        """Go on to the next control, or to the one of that name."""
        for _ in range(200):
            self.driver.switch_to.active_element.send_keys(Keys.TAB)
            if not until or self.focused() == until:
                return self
        pytest.fail(f"The keyboard never comes to {until!r}.")

    def enters(self) -> Visitor:
        """Press Enter where the focus is."""
        self.driver.switch_to.active_element.send_keys(Keys.ENTER)
        return self

    def focused(self) -> str:
        """The name of the control that has the focus, "" where none has."""
        at = self.driver.switch_to.active_element
        return "" if at.tag_name == "body" else at.accessible_name or at.tag_name

    def outlined(self) -> bool:
        """Whether one sees where the focus is."""
        width = self.driver.switch_to.active_element.value_of_css_property("outline-width")
        return float(width.removesuffix("px")) >= 2

    def marks(self) -> Visitor:
        """Note which page this is; `stayed` says whether it is the same one still."""
        self.driver.execute_script("window.marked = true")
        return self

    def stayed(self) -> bool:
        """Whether no page has been loaded since `marks`."""
        return bool(self.driver.execute_script("return window.marked === true"))

    def awaits(self, done: Callable[[], Found], what: str, seconds: float = PATIENCE) -> Found:
        """Wait until it is so; what it gave."""
        until = time.monotonic() + seconds
        while True:
            try:
                if found := done():
                    return found
            except _MOVED:
                pass  # rewritten under the hand: look again
            if time.monotonic() > until:
                here = f"{self.driver.current_url} says:\n{self.text}"
                pytest.fail(f"Never seen: {what}. {here}\n{self.complaints()}")
            time.sleep(0.05)

    def _on(self, xpath: str, do: Callable[[WebElement], Found]) -> Found:
        def tried() -> list[Found]:
            return [do(self.driver.find_element(By.XPATH, xpath))]

        return self.awaits(tried, xpath)[0]


def _called(tag: str, name: str, within: str) -> str:
    """The first of these elements, of this visible or spoken name, that is shown."""
    section = _card(within) if within else ""
    wanted = _quoted(name.lower())
    said = f"{_small('.')}={wanted} or {_small('@aria-label')}={wanted}"
    return f"{section}//{tag}[({said}) and not(@hidden)]"


def _card(heading: str) -> str:
    return f"//section[.//h2[contains(normalize-space(), {_quoted(heading)})]]"


def _small(of: str) -> str:
    """In small letters: how a name is written may change."""
    return f"translate(normalize-space({of}), '{ascii_uppercase}', '{ascii_lowercase}')"


def _labelled(label: str) -> str:
    fields = "self::input or self::select or self::textarea"
    said = f"contains(normalize-space(text()), {_quoted(label)})"
    inside = f"//label[{said}]//*[{fields}]"
    beside = f"//*[({fields}) and @id=//label[{said}]/@for]"
    return f"{inside} | {beside} | //*[({fields}) and @aria-label={_quoted(label)}]"


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'
