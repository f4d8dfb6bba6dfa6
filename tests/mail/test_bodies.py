"""Body text and attachments (A1.40): base64url, charsets, nested multiparts, HTML."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.mail.body import TEXT_CAP
from headrace.mail.charsets import decode
from headrace.mail.message import parse
from headrace.mail.params import parse_value
from headrace.mail.transfer import from_base64
from headrace.rows import InteractionRow

Normalise = Callable[..., InteractionRow]


def leaf(kind: str, body: bytes, **headers: str) -> bytes:
    lines = [f"Content-Type: {kind}"] + [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
    return "\n".join(lines).encode() + b"\n\n" + body


def multi(kind: str, *parts: bytes, boundary: str = "b1") -> bytes:
    mark = f"--{boundary}".encode()
    inside = b"".join(mark + b"\n" + part + b"\n" for part in parts)
    return leaf(f'multipart/{kind}; boundary="{boundary}"', b"preamble\n" + inside + mark + b"--\n")


def body(data: bytes) -> str:
    return parse(data).body


@given(st.binary(max_size=200))
def test_base64_in_either_alphabet_padded_or_not(data: bytes) -> None:
    """Covers A1.40."""
    for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        assert from_base64(encoded) == data
        assert from_base64(encoded.rstrip(b"=")) == data
        assert from_base64(b"\r\n ".join([encoded[:7], encoded[7:]])) == data


@given(st.binary(max_size=100))
def test_any_bytes_decode_to_something(data: bytes) -> None:
    from_base64(data)
    for charset in (
        "utf-8",
        "utf-16",
        "koi8-r",
        "no such",
        "",
        None,
        "idna",
        "\0",
        "hex",
        "x" * 99,
    ):
        assert isinstance(decode(data, charset), str)


@pytest.mark.parametrize(
    ("data", "charset", "expected"),
    [
        (b"caf\xc3\xa9", "us-ascii", "café"),  # lies: UTF-8
        (b"caf\xe9 \x93x\x94", "iso-8859-1", "café “x”"),  # lies: Windows
        (b"caf\xe9", "utf-8", "café"),  # lies: Latin-1
        (b"caf\xe9", None, "café"),
        (b"caf\xc3\xa9 caf\xc3", "utf-8", "café caf\ufffd"),  # cut in a character
        ("привет".encode("koi8-r"), "KOI8-R", "привет"),
        ("привет".encode("cp1251"), "windows-1251", "привет"),
        ("你好".encode("gb18030"), "gb2312", "你好"),
        ("こんにちは".encode("iso-2022-jp"), "iso-2022-jp", "こんにちは"),
        ("hé".encode("utf-16"), "utf-16", "hé"),
        (b"+AOk-", "utf-7", "é"),
        (b"plain", "unknown-8bit", "plain"),
        (b"plain", "x-user-defined", "plain"),
    ],
)
def test_charsets_that_lie_or_are_unknown(data: bytes, charset: str | None, expected: str) -> None:
    """Covers A1.40."""
    assert decode(data, charset) == expected


def test_plain_text_in_every_encoding() -> None:
    """Covers A1.40."""
    text = "Grüße aus Köln =20\n"
    raw = text.encode()
    for encoding, encoded in (
        ("8bit", raw),
        ("base64", base64.encodebytes(raw)),
        ("BASE64", base64.urlsafe_b64encode(raw).rstrip(b"=")),
        ("quoted-printable", binascii.b2a_qp(raw)),
        ("x-unknown", raw),
    ):
        data = leaf("text/plain; charset=utf-8", encoded, Content_Transfer_Encoding=encoding)
        assert body(data) == text.strip()


def test_plain_is_preferred_unless_it_is_blank() -> None:
    plain, html = leaf("text/plain", b"plain"), leaf("text/html", b"<p>rich")
    assert body(multi("alternative", plain, html)) == "plain"
    assert body(multi("alternative", html, plain)) == "plain"
    assert body(multi("alternative", leaf("text/plain", b" \n"), html)) == "rich"
    nested = multi("related", html, leaf("image/png", b"x", Content_ID="<1>"), boundary="b2")
    assert body(multi("alternative", leaf("text/plain", b""), nested)) == "rich"


def test_parts_of_a_mixed_message_are_read_in_order_without_attachments() -> None:
    data = multi(
        "mixed",
        multi("alternative", leaf("text/plain", b"one"), leaf("text/html", b"x"), boundary="b2"),
        leaf("text/plain", b"secret notes", Content_Disposition='attachment; filename="notes.txt"'),
        leaf("application/pdf; name=plan.pdf", b"%PDF"),
        leaf("text/plain", b"list footer"),
    )
    mail = parse(data)
    assert mail.body == "one\n\nlist footer"
    assert mail.attachments == ["notes.txt", "plan.pdf"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename=a.pdf", "a.pdf"),
        ("attachment; filename*=utf-8''caf%C3%A9.pdf", "café.pdf"),
        ("attachment; filename*0=long-; filename*1=name.pdf", "long-name.pdf"),
        ("attachment; filename*0*=utf-8''caf%C3; filename*1*=%A9; filename*2=.pdf", "café.pdf"),
        ('attachment; filename="=?utf-8?q?caf=C3=A9.pdf?="', "café.pdf"),
        ('attachment; filename="..\\\\..\\\\evil.exe"', "evil.exe"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="a\0b.pdf"', "ab.pdf"),
        ("attachment", "application/pdf"),
        ("attachment; filename=", "application/pdf"),
    ],
)
def test_names_of_attachments(value: str, expected: str) -> None:
    """Names are the sender's words: shown, never used as paths. Covers R12."""
    part = leaf("application/pdf", b"x").replace(
        b"\n\n", b"\nContent-Disposition: " + value.encode() + b"\n\n", 1
    )
    assert parse(multi("mixed", leaf("text/plain", b"hi"), part)).attachments == [expected]


def test_forwarded_messages_count_as_attachments_and_speak_only_for_the_silent() -> None:
    inner = b"Subject: =?utf-8?q?Caf=C3=A9?=\nContent-Type: text/plain\n\ninner words"
    forwarded = leaf("message/rfc822", inner)
    mail = parse(multi("mixed", leaf("text/plain", b"see below"), forwarded))
    assert (mail.body, mail.attachments) == ("see below", ["Café.eml"])
    silent = parse(multi("mixed", leaf("text/plain", b""), forwarded))
    assert (silent.body, silent.attachments) == ("inner words", ["Café.eml"])
    digest = multi("digest", b"\n" + inner, b"\n" + inner, boundary="b3")
    assert parse(digest).body == "inner words\n\ninner words"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nnever closed", "never closed"),
        (b"Content-Type: multipart/mixed\n\nno boundary", "no boundary"),
        (b"Content-Type: multipart/mixed; boundary=b\n\nno part", "no part"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\nepilogue", "one"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--bb\n--b--\n", "one\n--bb"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b \r\n\r\none\r\n--b--", "one"),
        (b"Content-Type: garbage\n\ntext", "text"),
        (b"Content-Type: text/plain; charset=\xff\n\ntext", "text"),
        (b"\ntext", "text"),
        (b"Subject: x\nright after the header\nmore: text", "right after the header\nmore: text"),
        (b"Subject: x\n\ntext with \0 NUL", "text with  NUL"),
        (b"Subject: x\r\n\r\na\r\nb\rc", "a\nb\nc"),
        (b"", ""),
        (b"Subject: only headers", ""),
    ],
)  # fmt: skip
def test_broken_structures_still_say_what_they_can(data: bytes, expected: str) -> None:
    assert body(data) == expected


def test_a_long_body_is_cut() -> None:
    assert len(body(b"\n" + b"word " * 200_000)) == TEXT_CAP


@given(st.text(max_size=300))
def test_parameters_never_fail(value: str) -> None:
    main, parameters = parse_value(value)
    assert main == main.lower()
    assert all(isinstance(text, str) for text in parameters.values())


_WITH_FIXTURE = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_WITH_FIXTURE
@given(st.binary(max_size=400))
def test_any_bytes_become_a_row_that_postgresql_takes(normalise: Normalise, data: bytes) -> None:
    """Covers R12."""
    _check(normalise(data))


@_WITH_FIXTURE
@given(
    st.lists(
        st.sampled_from(
            [b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: text/html", b"", b"--b",
             b"--b--", b"Content-Type: message/rfc822", b"From: a@b.example", b"text", b"<p>x",
             b"Content-Transfer-Encoding: base64", b"Content-Type: multipart/digest; boundary=b",
             b"Subject: =?utf-8?q?=00=ED=A0=80?=", b"\xff\0", b" folded", b"To: x@y.example, z"]
        ),
        max_size=20,
    )
)  # fmt: skip
def test_any_lines_of_mail_become_a_row(normalise: Normalise, lines: list[bytes]) -> None:
    """Covers R12."""
    _check(normalise(b"\n".join(lines)))


def _check(row: InteractionRow) -> None:
    texts = [row.subject, row.body, row.from_name, row.from_address, row.message_id]
    texts += [row.thread_id, *row.to_addresses, *row.cc_addresses, *row.labels, *row.attachments]
    for text in texts:
        assert "\0" not in (text or "")
        (text or "").encode()
