"""Hosts that cannot be reached."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from headrace.errors import NeedsHuman, Retry


class Unknown(AbstractResolver):
    """A name server that knows nothing."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def close(self) -> None:
        return


async def test_nobody_listens(net: Any) -> None:
    """Covers R8: the sentence names host and port."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    with pytest.raises(Retry, match=rf"127\.0\.0\.1:{port} cannot be reached") as caught:
        await net.make(f"http://127.0.0.1:{port}").request("GET", "/")

    assert "base_url" in caught.value.hint
    assert len(net.ticking.slept) == 5


async def test_no_such_name(net: Any) -> None:
    """Covers R8: a name server may only be away for a while."""
    client = net.make("http://api.example.com:8080", resolver=Unknown(), retries=1)

    with pytest.raises(Retry, match=r"api\.example\.com \(port 8080\) is not known"):
        await client.request("GET", "/")


async def test_tls_where_there_is_none(net: Any) -> None:
    """Covers R8: https to a server of plain http."""
    script = await net.serve(net.wire.ok())

    url = script.url.replace("http:", "https:")

    with pytest.raises(Retry, match=f"127.0.0.1:{script.port}"):
        await net.make(url, retries=0, timeout=0.5).request("GET", "/")


async def test_one_connection_serves_many_requests(net: Any) -> None:
    """Covers R8: keep-alive, also after errors whose body was read."""
    script = await net.serve(net.wire.ok(), net.wire.status(500), net.wire.ok())
    client = net.make(script.url)

    for _ in range(5):
        await client.request("GET", "/")

    assert (script.connections, len(script.requests)) == (1, 6)


async def test_a_connection_that_was_closed_while_idle(net: Any) -> None:
    """Covers R8: the next request opens a new one."""
    script = await net.serve(net.wire.ok(then="close"), net.wire.ok())
    client = net.make(script.url)

    await client.request("GET", "/")
    await client.request("GET", "/")

    assert len(script.requests) == 2


async def test_a_certificate_nobody_vouches_for(net: Any, tmp_path: Path) -> None:
    """Covers SSRF: a connection that anybody could answer is not spoken on."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    script = await net.serve(net.wire.ok(), tls=context)

    with pytest.raises(NeedsHuman, match="certificate"):
        await net.make(script.url.replace("http:", "https:")).request("GET", "/")

    assert script.requests == []
