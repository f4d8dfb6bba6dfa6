"""An API by a pasted description: what a caller may say, and where the mistake is."""

from __future__ import annotations

import re
from html import unescape

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import House

SPEC = """\
name: tickets
base_url: https://api.example.com/v1
auth: {bearer: true}
streams:
  tickets: {path: /tickets}
"""


def mistake(page: str) -> tuple[str, str]:
    """What is said to be wrong, and the line that is marked."""
    said = re.search(r'id="mistake"><p>(.*?)</p>', page, re.DOTALL)
    marked = re.search(r'class="wrong" aria-current="true">(.*?)</span>', page, re.DOTALL)
    assert said
    return unescape(said[1]), unescape(marked[1]).strip() if marked else ""


def test_it_is_connected_and_synced(ann: TestClient, house: House) -> None:
    """Covers A2.1: as a caller's, never as an operator's; its key is sealed."""
    form = {"spec": SPEC, "key": " sesame-open ", "every": "1h"}
    answer = ann.post("/connect/api", data=form)
    assert "tickets is connected, and is being brought in." in answer.text
    [row] = house.execute("SELECT * FROM headrace.connections")
    assert (row["provider"], row["name"], row["trusted"]) == ("rest", "tickets", False)
    assert row["credential"] is not None
    assert "sesame" not in str(row)
    [job] = house.execute("SELECT * FROM headrace.jobs")
    assert str(answer.url).endswith(f"/jobs/{job['job_id']}")
    [schedule] = house.execute("SELECT * FROM headrace.schedules")
    assert schedule["connection_id"] == row["connection_id"]


@pytest.mark.parametrize(
    ("spec", "words", "line"),
    [
        (SPEC.replace("path", "pth"), "Did you mean 'path'?", "5    tickets: {pth: /tickets}"),
        (SPEC.replace("{bearer", "[bearer"), "line 3", "3  auth: [bearer: true}"),
        (SPEC.replace("true}", "true, env: PATH}"), "only an operator's spec", "3  auth:"),
        (SPEC.replace("https", "http"), "is not https", "2  base_url: http:"),
        (SPEC.replace("api.example.com", "localhost"), "localhost", "2  base_url"),
        (SPEC.replace("api.example.com", "169.254.169.254"), "169.254", "2  base_url"),
        ("", "must be a mapping", ""),
        ("<script>alert(1)</script>", "must be a mapping", ""),
    ],
)
def test_a_mistake_is_shown_at_its_line(
    ann: TestClient, house: House, spec: str, words: str, line: str
) -> None:
    """Covers A2.3, R15: what a caller may not name is refused before anything is made; what was
    written stays in the form, as text."""
    answer = ann.post("/connect/api", data={"spec": spec, "key": "sesame-open"})
    assert answer.status_code == 422
    said, marked = mistake(answer.text)
    assert words in said
    assert marked.startswith(line)
    assert "<script>" not in answer.text
    assert "sesame" not in answer.text
    if spec:
        assert spec.splitlines()[0] in unescape(answer.text)
    assert house.execute("SELECT * FROM headrace.connections") == []


def test_a_name_that_is_taken_keeps_its_key_and_address(ann: TestClient, house: House) -> None:
    """Covers X7: else a key could be had sent elsewhere, by whoever knows the name."""
    at = house.connection(name="tickets")
    other = SPEC.replace("example.com", "example.net")
    answer = ann.post("/connect/api", data={"spec": other})
    assert answer.status_code == 422
    assert "There is a source 'tickets' already." in unescape(answer.text)
    [row] = house.execute("SELECT * FROM headrace.connections")
    assert (row["connection_id"], row["config"]) == (at, {})


def test_a_form_of_another_site_is_refused(ann: TestClient, house: House) -> None:
    answer = ann.post("/connect/api", data={"spec": SPEC}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert house.execute("SELECT * FROM headrace.connections") == []
