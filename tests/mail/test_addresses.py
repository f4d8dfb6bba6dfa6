"""Address lists (A1.38): RFC 5322 with quoted commas, groups and encoded words."""

from __future__ import annotations

import time
from email import policy
from email.parser import Parser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.mail.addresses import MOST, Address, parse_addresses
from headrace.mail.words import decode_words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Jane Doe <Jane@Example.COM>", [("Jane Doe", "jane@example.com")]),
        ('"Doe, Jane" <jane@example.com>', [("Doe, Jane", "jane@example.com")]),
        ('"Jane \\"J\\" Doe" <j@example.com>', [('Jane "J" Doe', "j@example.com")]),
        ("j@example.com (Jane Doe)", [("Jane Doe", "j@example.com")]),
        ("j@example.com (Jane (the) Doe)", [("Jane the Doe", "j@example.com")]),
        ("<j@example.com>, k@example.com", [(None, "j@example.com"), (None, "k@example.com")]),
        ("'Jane' <j@example.com>", [("Jane", "j@example.com")]),
        ("j@example.com <j@example.com>", [(None, "j@example.com")]),
        (
            "Team: Jane <j@example.com>, k@example.com;, l@example.com",
            [("Jane", "j@example.com"), (None, "k@example.com"), (None, "l@example.com")],
        ),
        ("undisclosed-recipients:;", []),
        ("Doe, Jane <j@example.com>", [("Jane", "j@example.com")]),
        ("a@example.com; b@example.com", [(None, "a@example.com"), (None, "b@example.com")]),
        ("=?utf-8?q?Z=C3=B6e?= <z@example.com>", [("Zöe", "z@example.com")]),
        ("=?utf-8?q?Doe=2C_Jane?= <j@example.com>", [("Doe, Jane", "j@example.com")]),
        ('"=?utf-8?b?WsO2ZQ==?=" <z@example.com>', [("Zöe", "z@example.com")]),
        ("=?utf-8?q?Z=C3?= =?utf-8?q?=B6e?= <z@example.com>", [("Zöe", "z@example.com")]),
        ("=?utf-8?q?Jane_=3Cj=40example=2Ecom=3E?=", [("Jane", "j@example.com")]),
        ("=?utf-8?q?a=40example.com?= <b@example.net>", [("a@example.com", "b@example.net")]),
        ("Meeting 10:30 <a@example.com>", [("Meeting 10:30", "a@example.com")]),
        ("<@relay,@other:j@example.com>", [(None, "j@example.com")]),
        ("<mailto:j@example.com>", [(None, "j@example.com")]),
        ("j@[192.168.0.1]", [(None, "j@[192.168.0.1]")]),
        ("root@localhost", [(None, "root@localhost")]),
        ("пример@пример.рф", [(None, "пример@пример.рф")]),
        ('"Jane <j@example.com>', [('"Jane', "j@example.com")]),
        ("Jane\r\n\t Doe <j@example.com>", [("Jane Doe", "j@example.com")]),
        ("J\0ane\ud800 <j@example.com>", [("Jane\ufffd", "j@example.com")]),
        ("nobody", []),
        ("@", []),
        ("", []),
        (",,;:,", []),
    ],
)  # fmt: skip
def test_forms_of_address_lists(value: str, expected: list[tuple[str | None, str]]) -> None:
    """Covers A1.38."""
    assert parse_addresses(value) == [Address(address, name) for name, address in expected]


_NAME = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), max_size=20
)
_LOCAL = st.text("abcdefghijklmnopqrstuvwxyz0123456789.+-_", min_size=1, max_size=12).filter(
    lambda text: not text.startswith(".") and not text.endswith(".") and ".." not in text
)


@given(st.lists(st.tuples(_NAME, _LOCAL), max_size=5))
def test_any_list_written_with_quoted_names_comes_back(people: list[tuple[str, str]]) -> None:
    """Covers A1.38."""
    people = [(name.replace("=?", "").strip("'"), local) for name, local in people]
    written = ", ".join(
        '"{}" <{}@example.com>'.format(name.replace("\\", "\\\\").replace('"', '\\"'), local)
        for name, local in people
    )
    found = parse_addresses(written)
    assert [one.address for one in found] == [f"{local}@example.com" for _, local in people]
    assert [one.name or "" for one in found] == [
        "" if name.lower() == f"{local}@example.com" else name for name, local in people
    ]


@given(st.text(max_size=200))
def test_any_text_is_taken_apart_without_an_error(value: str) -> None:
    """R12: whatever comes out fits into PostgreSQL. Covers R12."""
    for one in parse_addresses(value):
        assert "\0" not in one.address
        assert "@" in one.address
        one.address.encode()
        (one.name or "").encode()


@pytest.mark.parametrize(
    "value",
    [
        '"Doe, Jane" <jane@example.com>, Bob <bob@example.com>',
        "Team: a@example.com, b@example.com;, c@example.com",
        "=?iso-8859-1?q?Andr=E9?= Pirard <pirard@example.com>",
        "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
        "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
        '"Joe Q. Public" <john.q.public@example.com>',
        "Undisclosed recipients:;",
    ],
)
def test_the_standard_library_agrees(value: str) -> None:
    """Headers as in RFC 5322's own examples, read by an independent parser. Covers A1.38."""
    message = Parser(policy=policy.default).parsestr(f"To: {value}\n\n", headersonly=True)
    expected = [one.addr_spec for one in message["to"].addresses]
    assert [one.address for one in parse_addresses(value)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=?ISO-8859-1?Q?a?=", "a"),
        ("=?ISO-8859-1?Q?a?= b", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a?=\r\n =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a_b?=", "a b"),
        ("=?utf-8*en?q?caf=C3=A9?=", "café"),
        ("=?utf-8?q?spaces in it?=", "spaces in it"),
        ("a=?utf-8?q?b?=c", "abc"),
        ("=?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?nonsense?q?caf=C3=A9?=", "café"),
        ("=?utf-8?q?caf=E9?=", "café"),
        ("=?utf-8?b?Y2Fmw6k?=", "café"),
        ("=?rot13?q?abc?=", "abc"),  # a codec, but no charset
        ("=?unicode_escape?q?=5Cx41?=", "\\x41"),
        ("=?utf-8?x?y?=", "=?utf-8?x?y?="),
        ("=?utf-8?q?unclosed", "=?utf-8?q?unclosed"),
    ],
)
def test_encoded_words(text: str, expected: str) -> None:
    """RFC 2047's own examples, and what real senders do to it. Covers A1.38."""
    assert decode_words(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        '"\\' * 200_000,
        '"' * 400_000,
        "<" * 400_000,
        "(" * 400_000,
        "[" * 400_000,
        "a" * 400_000,
        "=?utf-8?q?" * 40_000,
        "=?utf-8?q?a?= " * 30_000,
        "a@b.example," * 40_000,
        "," * 400_000,
        " " * 400_000,
        "\\" * 400_000,
    ],
    ids=lambda value: str(value)[:12],
)
def test_hostile_lists_take_linear_time(value: str) -> None:
    start = time.perf_counter()
    assert len(parse_addresses(value)) <= MOST
    assert time.perf_counter() - start < 5
