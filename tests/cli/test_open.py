"""`headrace open`, and the link of `headrace up`: a browser signed in by whoever is at the
machine."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from tests.cli.command import House, Running
from tests.cli.test_services import address, healthy

from headrace.store import embedded


@pytest.fixture(scope="module")
def served(houses: Callable[[], House]) -> Iterator[tuple[House, Running, int]]:
    """A house with an API, and its port."""
    house = houses()
    running = house.start("api", SERVICE_PORT="0")
    port = address(running)[1]
    healthy(port)
    yield house, running, port
    running.stop()


def sign_in(port: int, link: str) -> int:
    """What a browser is answered that takes the link up."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    form = urlencode({"link": link.rpartition("/")[2]})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    line.request("POST", "/welcome", form, headers)
    status = line.getresponse().status
    line.close()
    return status


def test_it_prints_a_link_that_signs_in_once(served: tuple[House, Running, int]) -> None:
    house, _, port = served
    link = house.look("open", "--print", SERVICE_PORT=str(port)).ok().out.strip()
    assert re.fullmatch(rf"http://127\.0\.0\.1:{port}/welcome/[\w-]{{43}}", link)
    assert [sign_in(port, link), sign_in(port, link)] == [303, 401]
    told = house.json("open", SERVICE_PORT=str(port))["link"]
    assert sign_in(port, told) == 303


def test_the_link_of_the_service_itself(served: tuple[House, Running, int]) -> None:
    _, running, port = served
    link = running.says(r"http://\S+/welcome/\S+")
    assert urlsplit(link).port == port
    assert [sign_in(port, link), sign_in(port, link)] == [303, 401]


def test_what_listens_everywhere_is_opened_as_this_machine(house: House) -> None:
    """No browser reaches 0.0.0.0 on every system."""
    running = house.start("api", SERVICE_PORT="0", SERVICE_HOST="0.0.0.0")
    port = address(running)[1]
    assert running.says(r"http://\S+/welcome").startswith(f"http://127.0.0.1:{port}/")
    settings = {"SERVICE_PORT": str(port), "SERVICE_HOST": "0.0.0.0"}
    healthy(port)
    assert house.json("open", **settings)["link"].startswith(f"http://127.0.0.1:{port}/")
    running.stop()


def test_it_opens_the_browser_where_there_is_one(
    served: tuple[House, Running, int], tmp_path: Path
) -> None:
    house, _, port = served
    seen, browser = tmp_path / "seen", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {seen}\n')
    browser.chmod(0o755)
    more = {"SERVICE_PORT": str(port), "BROWSER": str(browser)}
    link = house.run("open", **more).ok().out.strip()
    assert seen.read_text().split() == [link]
    house.look("open", "--print", **more).ok()
    house.look("open", "--json", **more).ok()
    assert seen.read_text().split() == [link]


def test_nobody_there(house: House) -> None:
    """No link is made that leads nowhere, and no PostgreSQL is started for it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ran = house.look("open", SERVICE_PORT=str(port))
    ran.refused(69, rf"^Headrace does not answer at http://127\.0\.0\.1:{port}\.$", "headrace up")


def test_a_service_of_another_database(served: tuple[House, Running, int], house: House) -> None:
    """Its link would be told to be used up, and nobody would know why."""
    ran = house.look("open", SERVICE_PORT=str(served[2]))
    ran.refused(64, r"works on another database than this command\.$", "DATABASE_URL")


@pytest.mark.parametrize("public", ["https://headrace.example", "https://headrace.example/"])
def test_with_a_public_address_the_link_goes_there(house: House, public: str) -> None:
    """The service may be on another machine."""
    link = house.json("open", HEADRACE_PUBLIC_URL=public, SERVICE_PORT="1")["link"]
    assert re.fullmatch(r"https://headrace\.example/welcome/[\w-]{43}", link)


@pytest.mark.parametrize("public", ["headrace.example", "ftp://x", "https://", "https://x/?a=b"])
def test_a_public_address_that_is_none(house: House, public: str) -> None:
    ran = house.look("open", HEADRACE_PUBLIC_URL=public)
    ran.refused(64, "^The setting HEADRACE_PUBLIC_URL cannot be used: ", "settings.md")


def test_a_second_service_is_told_of_the_first(
    served: tuple[House, Running, int], bare: House
) -> None:
    """Whatever its data folder: the port is taken."""
    port = served[2]
    for command in ("up", "api"):
        ran = bare.look(command, SERVICE_PORT=str(port))
        ran.refused(
            64, rf"^Headrace runs already at http://127\.0\.0\.1:{port}\.$", "headrace open"
        )
    assert embedded.status(bare.home / "postgres").state == "absent"
