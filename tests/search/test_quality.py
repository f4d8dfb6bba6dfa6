"""Search finds what people mean, best first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.search.conftest import TIME

if TYPE_CHECKING:
    from tests.search.conftest import Ids, Shelf


def test_every_word_has_to_be_found_first(ids: Ids) -> None:
    assert ids("checkout error", kinds=["events"])[0] == "checkout-error"
    assert ids("flight lisbon")[0] == "lisbon"


def test_then_come_rows_with_some_of_the_words(shelf: Shelf) -> None:
    hits = shelf.find("checkout error", kinds=["events"])
    assert {hit.source_id for hit in hits} == {"checkout-error", "checkout", "error"}
    assert hits[0].score > 1 > hits[1].score > 0
    assert [hit.source_id for hit in shelf.find("checkout error", limit=1)] == ["checkout-error"]


def test_a_rare_word_counts_more_than_a_common_one(ids: Ids) -> None:
    """`bank` is in one event, `click` in all of them."""
    assert ids("bank click nowhere", kinds=["events"])[0] == "checkout-error"


def test_mail_is_found_by_any_form_of_a_word(ids: Ids) -> None:
    assert set(ids("invoice", kinds=["interactions"])) == {"invoice", "invoices"}
    assert ids("run", kinds=["interactions"]) == ["teapots"]


def test_a_subject_counts_more_than_a_mention(ids: Ids) -> None:
    assert ids("invoices", kinds=["interactions"])[0] == "invoice"


def test_a_short_row_counts_more_than_a_long_one(ids: Ids) -> None:
    assert ids("ceramic teapot", kinds=["events"]) == ["teapot", "teapot-long"]


def test_of_equals_the_newer_comes_first_and_the_undated_last(ids: Ids) -> None:
    assert ids("saffron", kinds=["events"]) == ["new", "old", "none"]


def test_a_phrase_stands_together(ids: Ids) -> None:
    assert ids('"boundary layer"') == ["layer"]
    assert set(ids("boundary layer")) == {"layer", "apart"}
    assert ids('"boundary layer" pressure zebra') == ["layer"], "a phrase is not given up"
    assert ids('"layer boundary"') == []
    assert ids('"pressure" "lisbon"') == []


def test_a_phrase_of_an_event_is_all_of_its_words(ids: Ids) -> None:
    assert ids('"error checkout"', kinds=["events"]) == ["checkout-error"]


def test_what_is_not_wanted_is_left_out(ids: Ids) -> None:
    assert ids("error -checkout") == ["error"]
    assert ids("flight -train") == ["lisbon"]
    assert ids('notes -"boundary layer"') == ["apart"]
    assert ids("-error") == []


def test_people_are_found_by_name_and_address(ids: Ids) -> None:
    assert set(ids("alice")) == {"alice", "address"}
    assert ids("Alice Archer")[0] == "alice"
    assert ids("alice@example.org") == ["address"]
    assert ids("harper") == ["will"]


def test_a_name_that_is_a_stop_word(ids: Ids) -> None:
    assert ids("will harper") == ["will"]
    assert ids("will") == ["will"]


def test_stop_words_do_not_decide(ids: Ids) -> None:
    """`to` is in the event of a page, and says nothing about Lisbon."""
    assert ids("flight to Lisbon")[0] == "lisbon"
    assert ids("the of and", kinds=["interactions"]) == []


def test_words_of_any_script(ids: Ids) -> None:
    for word in ("größe", "GRÖSSE GRÖßE", "ελληνικά", "日本語"):
        assert ids(word)[0] == "Ünïcode", word


def test_an_id_is_found_whole(ids: Ids) -> None:
    assert ids("fa6b228d-63fc-42b2-8096-8e01ffef90ae") == ["uuid"]


def test_what_means_something_to_postgresql_means_nothing_here(ids: Ids) -> None:
    assert "quote" in ids("O'Brien")
    for text in ("a & | ! b", "'", "\\", "a:*", "x <-> y", "(", "%s %(a)s", "a\\' | b", "{}"):
        ids(text)
    assert "quote" in ids("backslash' & ! bar")


def test_senseless_queries_find_nothing(ids: Ids) -> None:
    for text in ("", " ", "...", "\0", "💧", "-", '""', "x" * 10_000, " ".join("y" * 3_000)):
        assert ids(text) == [], text[:20]
    assert ids("error", limit=0) == []
    assert ids("error", kinds=[]) == []


def test_it_can_be_narrowed_by_time(ids: Ids) -> None:
    """From `since`, inclusive, to `until`, exclusive; rows without a time are outside of any."""
    assert set(ids("saffron", since=TIME)) == {"new"}
    assert set(ids("saffron", until=TIME)) == {"old", "dated"}
    year = TIME - timedelta(days=365)
    assert set(ids("saffron", since=year, until=TIME + timedelta(days=1))) == {"new"}


def test_a_hit_says_where_it_is(shelf: Shelf) -> None:
    [hit] = shelf.find("lisbon gate")[:1]
    assert (hit.kind, hit.source_id, hit.title) == (
        "interactions",
        "lisbon",
        "Your flight to Lisbon",
    )
    assert (hit.connection, hit.stream, hit.occurred_at) == ("mail", "things", TIME)
    assert hit.connection_id
    assert "**gate**" in hit.snippet
    [hit] = shelf.find("bank")
    assert (hit.kind, hit.title) == ("events", "click: Error in checkout")
    assert hit.snippet == "note: payment refused by the **bank**"


def test_a_snippet_marks_what_was_found(shelf: Shelf) -> None:
    """It is plain text, of which PostgreSQL has left tags out."""
    [hit] = shelf.find("gorse")
    assert "**gorse**" in hit.snippet
    assert "script" not in hit.snippet


def test_a_calendar_is_searched_too(shelf: Shelf) -> None:
    """Covers A3.22."""
    [hit] = shelf.find("dentist")
    assert (hit.kind, hit.source_id, hit.title) == ("calendar_events", "dentist", "Dentist")
    assert hit.snippet.startswith("High Street 5")
    assert shelf.ids("appointment", kinds=["calendar_events"]) == ["dentist"]
    assert shelf.ids("dentist", kinds=["events", "interactions"]) == []


def test_times_of_any_year(ids: Ids) -> None:
    """The oldest and the furthest that a row can have."""
    assert ids("ancient") == ["future", "past"]
