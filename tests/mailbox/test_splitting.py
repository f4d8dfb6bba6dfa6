"""The mbox splitter: what goes in comes out, however it is cut into blocks."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.mailbox.mbox import Piece, Splitter, unquote

Writer = Callable[..., bytes]

_LINES = st.sampled_from(
    [b"", b"From here", b">From there", b">>From all", b"From a Mon Jan  5 10:00:00 2026",
     b"Subject: x", b"text", b"\0\xff\x80", b">", b" From", b"From ", b"x" * 700, b"\r", b"From"]
)  # fmt: skip
_MESSAGE = st.one_of(
    st.binary(max_size=60), st.lists(_LINES, max_size=8).map(lambda lines: b"\n".join(lines))
)
_CONTENT = st.lists(_LINES, max_size=25).map(b"\n".join) | st.binary(max_size=200)


def split(content: bytes, at: int = 0, **options: int) -> list[Piece]:
    file = io.BytesIO(content)
    file.seek(at)
    return list(Splitter(file.read, at, **options))


def normalised(message: bytes) -> bytes:
    """An mbox cannot tell a last line with a newline from one without."""
    return message + b"\n" if message and not message.endswith(b"\n") else message


@settings(deadline=None)
@given(messages=st.lists(_MESSAGE, max_size=6), block=st.integers(1, 300))
def test_any_messages_written_as_mboxrd_come_back(messages: list[bytes], block: int) -> None:
    written = _mboxrd(messages)
    pieces = split(written, block=block)
    assert [unquote(piece.data) for piece in pieces] == [normalised(one) for one in messages]
    assert all(piece.whole for piece in pieces)


@settings(deadline=None)
@given(content=_CONTENT, block=st.integers(1, 50), cap=st.integers(0, 120))
def test_block_size_changes_nothing(content: bytes, block: int, cap: int) -> None:
    content = b"From x Mon Jan  5 10:00:00 2026\n" + content
    assert split(content, block=block, cap=cap, keep=7) == split(content, cap=cap, keep=7)


@settings(deadline=None)
@given(content=_CONTENT, block=st.integers(1, 50))
def test_resuming_after_any_piece_yields_the_rest(content: bytes, block: int) -> None:
    content = b"From x Mon Jan  5 10:00:00 2026\n" + content
    pieces = split(content)
    for number, piece in enumerate(pieces, start=1):
        assert split(content, piece.end, block=block) == pieces[number:]


@settings(deadline=None)
@given(content=_CONTENT)
def test_every_byte_belongs_to_one_piece(content: bytes) -> None:
    """Nothing but blank lines lies between pieces; before them, a byte order mark at most."""
    content = b"From x Mon Jan  5 10:00:00 2026\n" + content
    at = 0
    for piece in split(content):
        assert not content[at : piece.start].strip(b"\r\n")
        between = content[piece.start : piece.end]
        assert between.startswith(piece.separator)
        assert piece.data in between
        at = piece.end
    assert not content[at:].strip(b"\r\n")


def test_crlf_throughout(mboxrd: Writer) -> None:
    messages = [b"Subject: a\r\n\r\nFrom me\r\n", b"Subject: b\r\n\r\nx\r\n"]
    pieces = split(mboxrd(messages, newline=b"\r\n"))
    assert [unquote(piece.data) for piece in pieces] == messages
    assert not pieces[0].separator.endswith(b"\r")


def test_a_message_over_the_cap_is_counted_but_not_held(mboxrd: Writer) -> None:
    big = b"Subject: big\n\n" + b"y" * 5_000_000 + b"\n"
    pieces = split(mboxrd([b"a: 1\n", big, b"b: 2\n"]), cap=1_000_000, keep=100, block=4096)
    assert [piece.whole for piece in pieces] == [True, False, True]
    assert pieces[1].data == big[:100]
    assert pieces[1].size == len(big) + 1  # its closing blank line
    assert pieces[2].data == b"b: 2\n"


def test_what_stands_before_the_first_separator_is_a_piece_without_one() -> None:
    pieces = split(b"leftover\n\nFrom a Mon Jan  5 10:00:00 2026\nA: 1\n")
    assert [(piece.separator, piece.data) for piece in pieces] == [
        (b"", b"leftover\n"),
        (b"From a Mon Jan  5 10:00:00 2026", b"A: 1\n"),
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n\r\n", b"\xef\xbb\xbf"])
def test_nothing_holds_no_message(content: bytes) -> None:
    assert split(content) == []


def test_a_byte_order_mark_and_blank_lines_are_passed_over() -> None:
    [piece] = split(b"\xef\xbb\xbf\n\nFrom a Mon Jan  5 10:00:00 2026\nA: 1")
    assert (piece.start, piece.data) == (5, b"A: 1")


def test_quoting_is_left_alone_where_the_writer_did_not_quote() -> None:
    """A bare `From ` line in a body shows that its writer quotes nothing."""
    quoted = b"A: 1\n\n>From one\n>>From two\n"
    assert unquote(quoted) == b"A: 1\n\nFrom one\n>From two\n"
    assert unquote(quoted + b"From three, unquoted\n") == quoted + b"From three, unquoted\n"


@pytest.mark.parametrize(
    "content",
    [
        b"\nFrom " * 1_500_000,
        b"\n" * 8_000_000,
        b"\nFrom x" + b"y" * 8_000_000,
        b"\r\n" * 4_000_000,
    ],
    ids=["candidates", "newlines", "one line", "carriage returns"],
)
def test_hostile_content_takes_linear_time(content: bytes) -> None:
    start = time.perf_counter()
    split(b"From a Mon Jan  5 10:00:00 2026\nA: 1\n" + content)
    assert time.perf_counter() - start < 20


def test_splitting_is_fast(mboxrd: Writer, mail: Callable[..., bytes]) -> None:
    """150 MB/s is promised; a loaded machine gets a third of that here."""
    one = mail(1, body="words of a mail body that goes on\n" * 300)
    content = mboxrd([one] * 100) * 60
    start = time.perf_counter()
    assert len(split(content)) == 6_000
    assert len(content) / (time.perf_counter() - start) > 50e6


def _mboxrd(messages: list[bytes]) -> bytes:
    """As the fixture `mboxrd`, which a property test cannot take."""
    out = b""
    for message in messages:
        out += b"From a@b Thu Nov 26 10:00:00 2026\n"
        for line in normalised(message).split(b"\n")[:-1]:
            out += (b">" if line.lstrip(b">").startswith(b"From ") else b"") + line + b"\n"
        out += b"\n"
    return out
