"""Mails made to hang or kill a reader: each costs its own row at most, and little time."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from headrace.errors import Skip
from headrace.rows import InteractionRow

Normalise = Callable[..., InteractionRow]


def nested(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (nested(100_000), "parts 40 deep"),
        (nested(50) + b"\n\ndeep", "parts 40 deep"),
        (b"Content-Type: message/rfc822\n\n" * 5_000, "parts 40 deep"),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 500_000,
            "more than 1,000 parts",
        ),
        (b"X: " + b"y" * (2 << 20) + b"\n\nbody", "longer than 1,048,576 bytes"),
        (b"X: y\n" * 10_000 + b"\nbody", "more than 5,000 header fields"),
    ],
    ids=["100,000 deep", "50 deep", "messages", "parts", "long header", "many headers"],
)
def test_a_structure_without_bounds_is_skipped_with_a_reason(
    normalise: Normalise, data: bytes, reason: str
) -> None:
    """One bad mail costs one dead letter. Covers A1.54, G15."""
    start = time.perf_counter()
    with pytest.raises(Skip, match=reason) as caught:
        normalise(data)
    assert caught.value.hint
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: " + b"=?utf-8?q?" * 50_000,
        b"Subject: " + b"=?utf-8?q?a?= " * 50_000,
        b"Subject:" + b"\n " * 200_000,
        b"To: " + b"a@b.example, " * 60_000,
        b"From: " + b'"\\' * 300_000,
        b"References: " + b"<" * 800_000,
        b"X-Gmail-Labels: " + b'"' * 500_000,
        b"X-Gmail-Labels: " + b"a," * 400_000,
        b"Date: " + b"1 " * 400_000,
        b"Content-Type: text/plain" + b"; a=b" * 150_000,
        b"Content-Type: multipart/mixed; boundary=" + b"b" * 900_000,
        b"Content-Type: text/html\n\n" + b"<div>" * 3_000_000,
        b"Content-Transfer-Encoding: base64\n\n" + b"=" * 10_000_000,
        b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\n" * 5_000_000,
        b"Content-Type: text/plain; charset=utf-7\n\n" + b"+" * 5_000_000,
        b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 2_000_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--bx\n" * 3_000_000,
        nested(38) + b"\n--" * 3_000_000,
        b"a" * 900_000,
        b"\n" * 20_000_000,
        b"x: y\n" * 4_000 + b"not a header\n" * 50_000,
    ],
    ids=lambda data: bytes(data)[:40].decode().replace("\n", " "),
)
def test_hostile_mail_takes_linear_time(normalise: Normalise, data: bytes) -> None:
    start = time.perf_counter()
    row = normalise(data)
    assert len(row.body) <= 256 * 1024
    assert len(row.subject or "") <= 2_000
    assert time.perf_counter() - start < 5


def test_normalising_is_fast(normalise: Normalise) -> None:
    """1,500 mails a second are promised; a loaded machine may take three times as long here."""
    html = b"<p>" + b"<td><b>words</b> of a newsletter</td> " * 200
    data = (
        b"From: A <a@example.com>\nTo: b@example.org\nSubject: =?utf-8?q?Caf=C3=A9?=\n"
        b"Received: from a by b; Thu, 26 Nov 2026 10:00:00 +0000\n"
        * 5
        + b"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
        + b"words of a mail body\n" * 100
        + b"\n--b\nContent-Type: text/html\n\n"
        + html
        + b"\n--b--\n"
    )
    start = time.perf_counter()
    for _ in range(500):
        normalise(data)
    assert 500 / (time.perf_counter() - start) > 500
