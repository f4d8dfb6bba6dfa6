"""Whom a client may speak to: the origin it was made for, at an address it may reach (R15, SSRF).

The name is resolved once, every address it has is checked, and the connection goes to one of
those. There is no second look-up in between for an attacker's name server to answer differently.
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from headrace.errors import NeedsHuman

PORTS = frozenset({443, 8443})
"""Ports a source named by an API caller may be on."""

_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_COMPATIBLE = IPv6Network("::/96")


def allowed(address: str, *, private_hosts: bool) -> bool:
    """Whether this address may be connected to. A v4 address hidden in a v6 one counts as itself.

    Link-local and multicast are refused to operators too: cloud metadata services live there.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    hidden = _hidden_v4(ip)
    if hidden is not None:
        ip = hidden
    if ip.is_link_local or ip.is_multicast:
        return False
    if private_hosts:
        return True
    if isinstance(ip, IPv6Address) and ip.is_site_local:
        return False
    return ip.is_global and not ip.is_reserved and not ip.is_unspecified


def _hidden_v4(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(ip, IPv4Address):
        return None
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _SIX_TO_FOUR:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1):
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return None


class GuardedResolver(AbstractResolver):
    """Looks names up and refuses a name as a whole when any of its addresses is out of bounds."""

    def __init__(self, *, private_hosts: bool, resolver: AbstractResolver | None = None) -> None:
        self._private_hosts = private_hosts
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of `host`. Raises NeedsHuman for a forbidden one, OSError for none."""
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            if not allowed(one["host"], private_hosts=self._private_hosts):
                raise forbidden(host)
        return found

    async def close(self) -> None:
        await self._resolver.close()


def forbidden(host: str) -> NeedsHuman:
    """The refusal. It does not tell the address: callers must not map a network by asking."""
    return NeedsHuman(
        f"The host {host} is not at a public address, so it is not called.",
        hint="An operator may allow private hosts with HEADRACE_PRIVATE_HOSTS=true.",
    )


def check_base(url: URL, *, private_hosts: bool, ports: frozenset[int] = PORTS) -> None:
    """Refuse a base URL that no request may go to. Raises NeedsHuman."""
    if url.scheme not in {"http", "https"} or not url.host:
        raise NeedsHuman(
            "The base URL is not a web address.", hint="Write it as https://api.example.com."
        )
    if url.user is not None or url.password is not None:
        raise NeedsHuman(
            "The base URL holds a user name or password.",
            hint="Take it out of the URL and give it as the connection's credential.",
        )
    if not private_hosts and (url.scheme != "https" or url.port not in ports):
        named = " or ".join(str(port) for port in sorted(ports))
        raise NeedsHuman(
            f"The base URL {url.origin()} is not https on port {named}, so it is not called.",
            hint="An operator may allow others with HEADRACE_PRIVATE_HOSTS=true.",
        )
    if _is_address(url.host) and not allowed(url.host, private_hosts=private_hosts):
        raise forbidden(url.host)
    name = url.host.rstrip(".").lower()
    if not private_hosts and (name == "localhost" or name.endswith(".localhost")):
        raise forbidden(url.host)  # RFC 6761: whatever a name server makes of it


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def check_origin(url: URL, base: URL) -> None:
    """Refuse a link, redirect or URL that leaves the origin its credential belongs to.

    Raises NeedsHuman before a byte is sent (n8n CVE-2026-42226 sent a credential elsewhere).
    """
    if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
        raise NeedsHuman(
            f"The source at {base.origin()} points to {_origin(url)}, so it was not followed.",
            hint="Credentials stay with the origin of base_url; if the API moved, change that.",
        )


def _origin(url: URL) -> str:
    try:
        return str(url.origin())
    except ValueError:
        return "something that is not a web address"
