"""The sample mailbox of the demo: the same bytes every time, and worth searching."""

from __future__ import annotations

import hashlib
import mailbox
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

from headrace.mailbox.sample import OWNER_ADDRESS, write_sample_mbox
from headrace.provider import Page
from headrace.rows import InteractionRow
from headrace.stage import RawEvent, StreamContext
from headrace.stages.normalise_mail import normalize_mail

Walk = Callable[..., dict[str, list[Page]]]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    assert write_sample_mbox(first, 300) == 300
    write_sample_mbox(second, 300)
    write_sample_mbox(other, 300, seed=8)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (first, second, other)]
    assert digests[0] == digests[1] != digests[2]


def test_python_counts_the_same_messages(tmp_path: Path, walk: Walk) -> None:
    """The standard library's own mbox reader agrees on how many there are."""
    path = tmp_path / "sample.mbox"
    count = write_sample_mbox(path)
    with closing(mailbox.mbox(path)) as independent:
        assert len(independent) == count == 2_000
    pages = walk(path)["sample.mbox"]
    records = [record for page in pages for record in page.records]
    bad = [one for page in pages for one in page.bad]
    assert len(records) + len(bad) == count
    assert 0 < len(bad) < 10
    assert len({record.source_id for record in records}) == len(records)


def test_its_mails_say_something(tmp_path: Path, walk: Walk) -> None:
    """A1.37, A1.39: threads of several mails, both directions, labels. Covers A1.37, A1.39."""
    path = tmp_path / "sample.mbox"
    write_sample_mbox(path)
    context = StreamContext(
        provider="mailbox",
        stream="sample.mbox",
        content="message/rfc822",
        config="{}",
        addresses=frozenset({OWNER_ADDRESS}),
    )
    raws = [
        RawEvent(one.source_id, 1, one.occurred_at, one.payload)
        for page in walk(path)["sample.mbox"]
        for one in page.records
    ]
    rows = [cast("InteractionRow", row) for raw in raws for row in normalize_mail.run(raw, context)]
    assert {row.direction for row in rows} == {"inbound", "outbound"}
    assert len({row.thread_id for row in rows}) < len(rows) * 0.7
    assert sum("outage" in (row.subject or "") for row in rows) > 50
    assert sum("flight" in row.body for row in rows) > 50
    assert any(name.startswith("invoice-") for row in rows for name in row.attachments)
    assert any(row.from_name == "山田 太郎" for row in rows)
    assert any(row.from_name == "Okonkwo, Chidi" for row in rows)
    assert not any("\0" in row.body for row in rows)
