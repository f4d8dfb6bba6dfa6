"""Dead letters in bulk, and one with its bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.api.conftest import House

from headrace.settings import Settings
from headrace.store.keys import Caller
from headrace.store.visit import Visit

if TYPE_CHECKING:
    from tests.dashboard.steer.conftest import Browser


def states(house: House, tenant: str) -> list[str]:
    rows = house.execute(
        "SELECT state FROM headrace.dead_letters WHERE tenant_id = %s ORDER BY dead_letter_id",
        tenant,
    )
    return [row["state"] for row in rows]


def test_they_are_counted_by_reason_and_dropped_by_it(house: House, browser: Browser) -> None:
    stream = house.stream(house.connection("ann", "heap"))
    for number in range(3):
        house.letter(stream, source_id=f"a{number}", reason="It has no date.")
    house.letter(stream, source_id="b", reason="It is too large.")
    ann = browser("heap")
    text = ann.get("/dead-letters").text
    counted = re.search(r'id="reasons".*?</section>', text, re.DOTALL)
    assert counted is not None
    assert re.findall(r'<td class="number">(\d+)</td>', counted[0]) == ["3", "1"]
    stranger = browser("heap-2")
    stranger.post("/dead-letters/drop", data={"reason": "It has no date."})
    assert states(house, "heap") == ["open"] * 4
    answer = ann.post("/dead-letters/drop", data={"reason": "It has no date."})
    assert "Dropped: 3." in answer.text
    assert states(house, "heap") == [*["dropped"] * 3, "open"]


def test_those_that_are_ticked_are_tried_or_dropped(house: House, browser: Browser) -> None:
    stream = house.stream(house.connection("ann", "ticked"))
    made = [house.letter(stream, source_id=f"t{n}", raw=b'{"id": 1}') for n in range(3)]
    foreign = house.letter(house.stream(house.connection("zoe", "theirs")), source_id="z")
    ann = browser("ticked")
    answer = ann.post("/dead-letters/several", data={"act": "drop", "letter": [made[0], foreign]})
    assert "Dropped: 1 of 2. The others say why not." in answer.text
    answer = ann.post("/dead-letters/several", data={"act": "retry", "letter": made[1:]})
    assert re.search(r"Processed: \d of 2", answer.text)
    assert states(house, "ticked")[0] == "dropped"
    assert states(house, "theirs") == ["open"]
    assert "Tick some first." in ann.post("/dead-letters/several", data={"act": "drop"}).text


def test_its_bytes_are_text_and_nothing_else(house: House, browser: Browser) -> None:
    """What a source has sent is shown as it stands, and never run."""
    stream = house.stream(house.connection("ann", "bytes"))
    script = b"<script>alert(1)</script></textarea>"
    number = house.letter(stream, source_id="x", raw=script)
    binary = house.letter(stream, source_id="y", raw=b"\xff\xfe\x00")
    ann = browser("bytes")
    text = ann.get(f"/dead-letters/{number}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;/textarea&gt;" in text
    assert "<script>alert" not in text
    assert "that are no text" in ann.get(f"/dead-letters/{binary}").text


def test_each_question_is_planned_for_what_it_asks(house: House) -> None:
    """A plan that fits every list, narrowed or not, looks at a hundred thousand letters for seconds
    where another one does for milliseconds; PostgreSQL makes such a one of what is asked often."""
    store, settings = house.store, Settings(_env_file=None)
    visit = Visit(Caller("acme", "ann", None), store, settings)
    with visit.session() as session:
        row = session.execute("SELECT current_setting('plan_cache_mode') AS mode").fetchone()
    assert row == {"mode": "force_custom_plan"}
