"""Web addresses as inputs: asked for on condition, guarded, and gone when they are gone."""

from __future__ import annotations

import socket

import pytest
from tests.files.conftest import Memory, Web

from headrace.documents import sniff
from headrace.errors import BadInput, Retry
from headrace.files import web as web_module
from headrace.files.web import WebPage
from headrace.provider import Page

_PAGE = b"<!doctype html><html><head><title>T</title></head><body><p>Hello</p></body></html>"


async def _ask(url: str, memory: Memory, *, private_hosts: bool = True) -> Page:
    page = WebPage(url, "s", memory.known, private_hosts=private_hosts)
    try:
        found = await page.page(None)
    finally:
        await page.aclose()
    memory.land(found)
    return found


@pytest.mark.parametrize(
    "headers", [{"ETag": '"v1"'}, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}]
)
async def test_an_unchanged_page_costs_one_request_without_a_body(
    web: Web, memory: Memory, headers: dict[str, str]
) -> None:
    """By its ETag or by its time; a changed one comes again."""
    web.pages["/page"] = (200, headers, _PAGE)
    url = f"{web.url}/page"
    [record] = (await _ask(url, memory)).records
    assert (record.source_id, record.payload) == (url, _PAGE)
    assert (record.occurred_at is not None) == ("Last-Modified" in headers)
    second = await _ask(url, memory)
    assert (second.records, second.unchanged, second.more) == ((), 1, False)
    assert len(web.asked) == 2
    web.pages["/page"] = (200, {"ETag": '"v2"'}, b"new")
    assert [one.payload for one in (await _ask(url, memory)).records] == [b"new"]


async def test_a_page_without_validators_is_read_each_time(web: Web, memory: Memory) -> None:
    """The landing finds out that it is the same."""
    web.pages["/page"] = (200, {}, _PAGE)
    for _ in range(2):
        assert len((await _ask(f"{web.url}/page", memory)).records) == 1
    assert "if-none-match" not in web.asked[1][1]


def test_an_address_without_an_ending_is_read_for_what_it_holds() -> None:
    """Content first: an id such as https://host/page is still a web page."""
    assert sniff("page", _PAGE) == "text/html"
    assert sniff("page", b"%PDF-1.7 ...") == "application/pdf"


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_gone_is_forgotten(web: Web, memory: Memory, status: int) -> None:
    """A page that was never there is a dead letter instead."""
    url = f"{web.url}/page"
    web.pages["/page"] = (status, {}, b"")
    [bad] = (await _ask(url, memory)).bad
    assert f"nothing at this address ({status})" in bad.reason
    web.pages["/page"] = (200, {}, _PAGE)
    await _ask(url, memory)
    web.pages["/page"] = (status, {}, b"")
    [gone] = (await _ask(url, memory)).records
    assert gone.gone
    assert memory.marks == {}


@pytest.mark.parametrize("status", [401, 403])
async def test_a_sign_in_is_a_dead_letter(web: Web, memory: Memory, status: int) -> None:
    """With a hint, and what was known stays."""
    memory.marks[f"{web.url}/page"] = "\n"
    web.pages["/page"] = (status, {}, b"")
    [bad] = (await _ask(f"{web.url}/page", memory)).bad
    assert "sign-in" in bad.reason
    assert "give the file" in bad.hint
    assert len(memory.marks) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_trouble_is_for_the_job_to_wait_for(web: Web, memory: Memory, status: int) -> None:
    """As long as the server asks for."""
    web.pages["/page"] = (status, {"Retry-After": "3600"}, b"")
    with pytest.raises(Retry) as caught:
        await _ask(f"{web.url}/page", memory)
    assert caught.value.after == pytest.approx(3600, abs=5)


async def test_redirects_stay_within_the_origin(web: Web, memory: Memory) -> None:
    """The document keeps the name that it was given."""
    web.pages["/old"] = (302, {"Location": "/new"}, b"")
    web.pages["/new"] = (200, {}, _PAGE)
    [record] = (await _ask(f"{web.url}/old", memory)).records
    assert (record.source_id, record.payload) == (f"{web.url}/old", _PAGE)
    web.pages["/out"] = (302, {"Location": "http://169.254.169.254/latest/meta-data"}, b"")
    [bad] = (await _ask(f"{web.url}/out", memory)).bad
    assert "was not followed" in bad.reason


async def test_the_cap_holds_while_reading(
    web: Web, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One page that is too large is a dead letter, not the end of the job."""
    monkeypatch.setattr(web_module, "MOST_BYTES", 1 << 20)
    web.pages["/page"] = (200, {}, b"x" * ((1 << 20) + 1))
    [bad] = (await _ask(f"{web.url}/page", memory)).bad
    assert "larger than is accepted" in bad.reason


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "https://localhost/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "http://example.com/",
        "https://example.com:22/",
        "https://ann:secret@example.com/",
        "https://",
    ],
)
def test_a_caller_may_not_name_what_is_private(url: str) -> None:
    """Refused before a byte is sent."""
    with pytest.raises(BadInput) as caught:
        web_module.client(url, private_hosts=False)
    assert caught.value.hint
    assert "secret" not in str(caught.value)


async def test_hints_say_what_to_check(memory: Memory) -> None:
    """An input has no base_url; the address is what a person gave."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Retry, match="cannot be reached") as caught:
        await _ask(f"http://127.0.0.1:{port}/page", memory)
    assert "Check the address, and that" in caught.value.hint
