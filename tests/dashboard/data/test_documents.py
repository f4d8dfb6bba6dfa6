"""A document's page: its passages, and the one that was found."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import House
from tests.dashboard.data.conftest import EVIL
from tests.dashboard.serving import signed_in

NAME = "plans/a b?.pdf"
PATH = "plans%2Fa%20b%3F.pdf"


@pytest.fixture
def stream(house: House) -> int:
    """A document of 120 passages of 100 characters."""
    made = house.stream(house.connection(provider="documents"), "files", "application/pdf")
    keys = "SELECT tenant_id, user_id, stream_id, %s, 1, 1, %s, %s, 10 FROM headrace.streams"
    batch = house.land(made)
    house.execute(
        "INSERT INTO headrace.documents (tenant_id, user_id, stream_id, source_id, version,"
        f" batch_id, content_hash, indexed_hash, size) {keys} WHERE stream_id = %s",
        *(NAME, b"h", b"h", made),
    )
    house.execute("UPDATE headrace.documents SET batch_id = %s", batch)
    house.execute(
        "INSERT INTO headrace.chunks (tenant_id, user_id, stream_id, content_hash, position,"
        " batch_id, start_at, end_at, page, headings, body, chunk_hash, kind, cut_by, embedded_by)"
        " SELECT tenant_id, user_id, stream_id, 'h', n, 1, n * 100, n * 100 + 120, n / 10 + 1,"
        " ARRAY['Plans'], 'Passage ' || n || ' ' || %s, 'c', 'documents', 1, 0"
        " FROM headrace.streams, generate_series(0, 119) n WHERE stream_id = %s",
        *(EVIL, made),
    )
    return made


def passages(page: str) -> list[int]:
    """Which are shown."""
    return [int(one) for one in re.findall(r"Passage (\d+) ", page)]


def test_all_passages_one_page_after_the_other(ann: TestClient, stream: int) -> None:
    at, seen = f"/documents/{stream}/{PATH}", list[int]()
    while at:
        page = ann.get(at).text
        assert "<script>alert" not in page
        found = passages(page)
        assert found == sorted(found)
        seen += [one for one in found if one not in seen]
        further = re.search(r'href="([^"]+)">Further', page)
        at = further[1] if further else ""
    assert seen == list(range(120))


def test_the_passage_that_was_found_stands_among_its_neighbours(
    ann: TestClient, stream: int
) -> None:
    page = ann.get(f"/documents/{stream}/{PATH}?at=7700").text
    assert passages(page)[:3] == [75, 76, 77]
    assert 'id="at-7700"' in page
    assert "From the beginning" in page
    assert "page 8" in page


def test_it_is_its_owner_s(house: House, ann: TestClient, stream: int) -> None:
    assert f"/documents/{stream}/{PATH}" in ann.get("/documents").text
    for stranger in (signed_in(house, "acme", "bob", "bob"), signed_in(house, "other", "zoe")):
        assert stranger.get(f"/documents/{stream}/{PATH}").status_code == 404
        assert PATH not in stranger.get("/documents").text
    assert ann.get(f"/documents/{stream}/nothing").status_code == 404
