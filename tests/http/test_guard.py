"""Whom a source named by an API caller may make us call: nobody inside."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import NeedsHuman
from headrace.http import Client
from headrace.http.guard import allowed

FORBIDDEN = [
    # every way to write the machine itself
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1"),
    *("017700000001", "127.0.0.1.", "127.255.255.254", "0x7f.1", "localhost", "LOCALHOST"),
    *("localhost.", "0", "0.0.0.0", "0.0.0.1", "00.00.00.00", "0x0", "[::]", "[::1]"),
    *("[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"),
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "\uff11\uff12\uff17.0.0.1"),
    # networks that are not the internet
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "3232235521"),
    *("0xa000001", "012.0.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1", "255.255.255.255"),
    # cloud metadata and link-local
    *("169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"),
    *("[::ffff:169.254.169.254]", "[fe80::1]", "[fe80::1%25lo]", "[fd00:ec2::254]"),
    # multicast
    *("224.0.0.1", "239.255.255.250", "[ff02::1]"),
    # unique local, documentation, discard, and v4 hidden in v6
    *("[fc00::1]", "[fdff::1]", "[2001:db8::1]", "[100::1]", "[64:ff9b::7f00:1]"),
    *("[64:ff9b::10.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]"),
    *("[2002:a9fe:a9fe::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[::ffff:10.0.0.1]"),
    *("[::ffff:100.64.0.1]", "[::10.0.0.1]", "[fec0::1]"),
]


@pytest.mark.parametrize("host", FORBIDDEN)
async def test_no_form_of_a_private_address_is_called(host: str, monkeypatch: Any) -> None:
    """Covers SSRF: more than 60 forms of an address, and not one connection."""
    tried: list[object] = []
    monkeypatch.setattr("aiohappyeyeballs.start_connection", tried.append)

    async def call() -> None:
        client = Client(f"https://{host}/", headers={"X-Key": "secret"})
        try:
            await client.request("GET", "/latest/meta-data")
        finally:
            await client.aclose()

    with pytest.raises(NeedsHuman):
        await call()

    assert tried == []


def test_there_are_enough_forms() -> None:
    """Covers SSRF: the list above is what it claims to be."""
    assert len(set(FORBIDDEN)) == len(FORBIDDEN) >= 60


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_fine(address: str) -> None:
    """Covers SSRF: the guard does not stand in the way of the internet."""
    assert allowed(address, private_hosts=False)


@given(st.ip_addresses(v=4))
def test_a_v4_address_is_judged_alike_however_it_is_wrapped(address: Any) -> None:
    """Covers SSRF: mapped, translated and tunnelled forms count as the address inside."""
    plain = allowed(str(address), private_hosts=False)
    number = int(address)
    high, low = number >> 16, number & 0xFFFF

    assert allowed(f"::ffff:{address}", private_hosts=False) is plain
    assert allowed(f"64:ff9b::{address}", private_hosts=False) is plain
    assert allowed(f"2002:{high:x}:{low:x}::1", private_hosts=False) is plain


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "0.0.0.0"])
def test_an_operator_may_name_private_hosts(address: str) -> None:
    """Covers SSRF: but the metadata service not even then."""
    assert allowed(address, private_hosts=True)
    assert not allowed("169.254.169.254", private_hosts=True)
    assert not allowed("fe80::1", private_hosts=True)
    assert not allowed("not an address", private_hosts=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "https://api.example.com:22",
        "https://api.example.com:80",
        "https://user:pass@api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "gopher://api.example.com",
        "https://",
        "api.example.com",
        "",
        "https://[::1",
        "https://api.example.com:99999",
    ],
)
def test_only_https_on_a_known_port(url: str) -> None:
    """Covers SSRF: scheme, port list, no credentials in the address."""
    with pytest.raises(NeedsHuman):
        Client(url)


class Answering(AbstractResolver):
    """A name server with an answer for each question, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
            for address in found
        ]

    async def close(self) -> None:
        return


@pytest.mark.parametrize(
    "answer", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"]]
)
async def test_every_address_of_a_name_is_checked(net: Any, answer: list[str]) -> None:
    """Covers SSRF: one bad address condemns the name."""
    resolver = Answering(answer)
    client = net.make("https://api.example.com", resolver=resolver, private_hosts=False)

    with pytest.raises(NeedsHuman, match="not at a public address"):
        await client.request("GET", "/")


async def test_a_name_is_looked_up_once_and_that_address_is_called(net: Any) -> None:
    """Covers SSRF: DNS rebinding. The second answer, a metadata service, is never asked for."""
    script = await net.serve(net.wire.ok())
    resolver = Answering(["127.0.0.1"], ["169.254.169.254"])
    client = net.make(f"http://rebind.example:{script.port}", resolver=resolver)

    await client.request("GET", "/")
    await client.request("GET", "/")

    assert (resolver.asked, script.connections) == (1, 1)
    assert script.requests[0].headers["host"] == f"rebind.example:{script.port}"


async def test_a_second_look_up_is_checked_again(net: Any) -> None:
    """Covers SSRF: when the connection was lost and the name is asked for anew."""
    script = await net.serve(net.wire.ok(then="close", Connection="close"))
    resolver = Answering(["127.0.0.1"], ["169.254.169.254"])
    client = net.make(f"http://rebind.example:{script.port}", resolver=resolver)
    await client.request("GET", "/")
    client._session.connector.clear_dns_cache()

    with pytest.raises(NeedsHuman, match="not at a public address"):
        await client.request("GET", "/")

    assert script.connections == 1


async def test_no_proxy_from_the_environment(net: Any, monkeypatch: Any) -> None:
    """Covers SSRF: HTTP_PROXY would hand every key to whoever set it."""
    proxy, script = await net.serve(net.wire.ok()), await net.serve(net.wire.ok())
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)

    await net.make(script.url).request("GET", "/")

    assert (proxy.connections, script.connections) == (0, 1)


async def test_cookies_are_not_kept(net: Any) -> None:
    """Covers R15: the only state a client has is its key."""
    script = await net.serve(net.wire.ok(Set_Cookie="session=1"))
    client = net.make(script.url)

    await client.request("GET", "/")
    await client.request("GET", "/")

    assert "cookie" not in script.requests[1].headers
