"""A listing of everything, and what it does not name any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from headrace.errors import Expired
from headrace.provider import JSON, BadRecord, Census, Page, Record

if TYPE_CHECKING:
    from tests.engine.conftest import Trail

FIRST, LAST = Census(first=True), Census(last=True)
WHOLE = Census(first=True, last=True)


def listed(*names: str, census: Census, cursor: JSON = None, more: bool = False) -> Page:
    return Page([Record(name, b"{}") for name in names], cursor, more, census=census)


def walk(trail: Trail, *pages: Page | Exception) -> Any:
    """A job that is given these pages, one after another."""
    answers = iter(pages)

    def answer(_cursor: JSON) -> Page:
        page = next(answers)
        if isinstance(page, Exception):
            raise page
        return page

    trail.answers(answer)
    outcome = asyncio.run(trail.leg())
    if outcome.state == "done":
        trail.next_job()
    return outcome


def there(trail: Trail) -> list[str]:
    rows = trail.bench.rows(
        "SELECT source_id FROM (SELECT DISTINCT ON (source_id) source_id, content_hash"
        " FROM headrace.raw_events ORDER BY source_id, version DESC) newest"
        " WHERE content_hash <> '' ORDER BY 1"
    )
    return [row["source_id"] for row in rows]


def noted(trail: Trail) -> int:
    [row] = trail.bench.rows("SELECT count(*) AS n FROM headrace.seen")
    return int(row["n"])


def test_what_is_not_listed_any_more_is_gone(trail: Trail) -> None:
    """Covers G4: named by a page, by its id alone or among what cannot be used, a record is there;
    the batch accounts for the tombstones."""
    assert walk(trail, listed("a", "b", "c", "d", census=WHOLE)).state == "done"
    assert noted(trail) == 0
    bad = [BadRecord(b"?", "It cannot be read.", source_id="d")]
    page = Page([Record("a", b"{}")], 2, True, bad=bad, census=FIRST)
    walk(trail, page, Page([], None, False, census=Census(last=True, also=["c"])))
    assert there(trail) == ["a", "c", "d"]
    assert noted(trail) == 0
    last = trail.batches()[-1]
    assert (last["fetched"], last["inserted"], last["dead_lettered"]) == (3, 1, 1)


def test_only_a_listing_that_came_to_its_end_sweeps(trail: Trail) -> None:
    """Covers G3, G4: cut short, it sweeps nothing, and the next one begins anew."""
    walk(trail, listed("a", "b", "c", census=WHOLE, cursor=5))
    cut = walk(
        trail,
        listed("a", "b", census=FIRST, cursor=6, more=True),
        Expired("too old"),
    )
    assert cut.state == "retry"
    assert there(trail) == ["a", "b", "c"]
    assert noted(trail) == 2
    walk(trail, listed("c", census=WHOLE))
    assert there(trail) == ["c"]


def test_a_listing_goes_on_where_it_was_interrupted(trail: Trail) -> None:
    """Covers G4: what was noted was committed with its page."""
    walk(trail, listed("a", "b", "c", census=WHOLE))
    outcome = walk(trail, listed("a", census=FIRST, cursor=1, more=True), RuntimeError("killed"))
    assert outcome.state != "done"
    walk(trail, listed("b", census=LAST))
    assert there(trail) == ["a", "b"]


def test_what_comes_after_a_listing_is_not_swept(trail: Trail) -> None:
    walk(trail, listed("a", census=WHOLE))
    after = Page([Record("new", b"{}")], None, False)
    walk(trail, listed("a", census=WHOLE, cursor=1, more=True), after)
    assert there(trail) == ["a", "new"]


def test_an_older_copy_changes_nothing(trail: Trail, probe: Any, monkeypatch: Any) -> None:
    """Covers C11, R3: where marks sort as versions do, whatever the order they come in."""
    monkeypatch.setattr(probe.Probe, "ordered", True)
    new, old = Record("a", b"new", mark="2"), Record("a", b"old", mark="1")
    walk(trail, Page([Record("b", b"1", mark="1"), new, old], None, False))
    walk(trail, Page([old], None, False))
    walk(trail, Page([Record("b", b"2", mark="2")], None, False))
    rows = trail.bench.rows(
        "SELECT source_id, version, payload FROM headrace.raw_events ORDER BY 1, 2"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("a", 1, b"new"),
        ("b", 1, b"1"),
        ("b", 2, b"2"),
    ]
    assert [row["unchanged"] for row in trail.batches()] == [1, 1, 0]
    marks = trail.bench.rows("SELECT mark FROM headrace.marks ORDER BY source_id")
    assert [row["mark"] for row in marks] == ["2", "2"]


@pytest.mark.parametrize(("fingerprint", "versions"), [(b"7", 1), (None, 2)])
def test_a_fingerprint_tells_versions_apart(
    trail: Trail, fingerprint: bytes | None, versions: int
) -> None:
    """Covers G13: the same message in other bytes is no new version."""
    walk(trail, Page([Record("a", b"once", fingerprint=fingerprint)], None, False))
    walk(trail, Page([Record("a", b"again", fingerprint=fingerprint)], None, False))
    assert len(trail.raw()) == versions
