"""What could not become a row is kept, once, with its bytes and the reason; it blocks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.provider import BadRecord

if TYPE_CHECKING:
    from tests.store.conftest import Desk


def letters(desk: Desk, columns: str) -> list[tuple[Any, ...]]:
    return desk.rows(
        f"SELECT {columns} FROM headrace.dead_letters ORDER BY content_hash, dead_letter_id"
    )


def test_a_bad_record_is_kept_with_its_bytes(desk: Desk) -> None:
    """Covers X5, A2.44, A1.54: raw bytes, reason, hint; and what came with it is landed."""
    bad = BadRecord(b'{"id": \xff\x00', "It is not JSON.", "Ask the source.", "17")
    landed = desk.land(desk.record("good"), bad=[bad], cursor="on")
    assert (landed.inserted, landed.dead_lettered) == (1, 1)
    assert letters(desk, "batch_id, stage, source_id, raw, reason, hint, attempts, state") == [
        (landed.batch_id, "landing", "17", bad.raw, bad.reason, bad.hint, 1, "open")
    ]
    assert desk.checkpoint()["cursor"] == "on"


def test_met_again_it_is_the_same_dead_letter(desk: Desk) -> None:
    """Covers X5, A2.44: one letter with its attempts, however many walks meet it."""
    bad = BadRecord(b"the same bytes", "No time.", "", "17")
    desk.land(bad=[bad, bad])
    landed = desk.land(bad=[BadRecord(b"the same bytes", "Still no time.", "", "17")])
    assert letters(desk, "attempts, reason, batch_id, state") == [
        (3, "Still no time.", landed.batch_id, "open")
    ]


def test_without_an_id_the_reason_tells_letters_apart(desk: Desk) -> None:
    """Two empty mails of one mailbox are two; the same one met again is one."""
    empty = [BadRecord(b"", f"Mail {n} is empty.") for n in range(2)]
    desk.land(bad=empty)
    desk.land(bad=empty)
    assert letters(desk, "attempts, source_id") == [(2, None), (2, None)]


def test_what_was_retried_and_comes_again_is_open_again(desk: Desk) -> None:
    """Covers A2.44: only what somebody has let go stays so."""
    bad = BadRecord(b"the same bytes", "No id.")
    for state, then in (("retried", "open"), ("dropped", "dropped")):
        desk.land(bad=[bad])
        with desk.store.connection() as session:
            session.execute(
                "UPDATE headrace.dead_letters SET state = %s, resolved_at = now()", [state]
            )
        desk.land(bad=[bad])
        assert letters(desk, "state, resolved_at IS NULL") == [(then, then == "open")]


def test_other_bytes_id_or_stream_make_another_letter(desk: Desk) -> None:
    desk.land(bad=[BadRecord(b"1", "r"), BadRecord(b"2", "r"), BadRecord(b"1", "r", "", "id")])
    other = desk.plan("others")[0]
    desk.landing(desk.claim(other)).land(desk.gathered(bad=[BadRecord(b"1", "r")]))
    assert letters(desk, "attempts") == [(1,)] * 4


def test_letters_are_kept_whatever_their_words_hold(desk: Desk) -> None:
    """Covers R12, X5: a reason that quotes the source may hold what PostgreSQL refuses, and an id
    what its index does; a letter that cannot be written would block the stream for ever."""
    odd = "nul \0, half a character \ud83d"
    landed = desk.land(
        desk.record("good"),
        bad=[
            BadRecord(b"1", odd, odd, odd),
            BadRecord(b"2", "r" * 3_000_000, "h" * 3_000_000, unlikely(100_000)),
            BadRecord(b"3", odd),
        ],
    )
    assert landed.dead_lettered == 3
    kept = {raw: words for raw, *words in letters(desk, "raw, source_id, reason, hint")}
    clean = "nul , half a character \N{REPLACEMENT CHARACTER}"
    assert kept[b"1"] == [clean, clean, clean]
    assert all(0 < len(text) < 10_000 for text in kept[b"2"])


def unlikely(length: int) -> str:
    """Text that cannot be compressed: an index compresses what is long and dull."""
    import random

    return "".join(random.Random(1).choices("0123456789abcdefghijklmnopqrstuvwxyz", k=length))
