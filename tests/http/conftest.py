"""Hostile servers on real sockets, and a clock that nobody has to wait for."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from aiohttp.abc import AbstractResolver

from headrace.http import Client, Clock, Policy

Then = Literal["keep", "close", "reset", "hang"]


@dataclass
class Reply:
    """One scripted answer: what is written, and what happens to the connection then."""

    raw: bytes
    then: Then = "keep"


@dataclass
class Request:
    """What the client sent. Header names are lower-cased."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


@dataclass
class Script:
    """A server that gives its answers in order, the last one for ever, and keeps the requests."""

    answers: list[Reply]
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                line, *rest = head.strip().split("\r\n")
                headers = {k.lower(): v for k, v in (h.split(": ", 1) for h in rest)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                number = len(self.requests)
                self.requests.append(Request(line, headers, body))
                answer = self.answers[min(number, len(self.answers) - 1)]
                writer.write(answer.raw)
                await writer.drain()
                if answer.then == "hang":
                    await reader.read()  # until the client gives up
                if answer.then == "reset":
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, linger
                    )
                if answer.then != "keep":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Wire:
    """Builds answers byte by byte."""

    @staticmethod
    def ok(
        body: bytes = b'{"data":[]}', *, status: str = "200 OK", then: Then = "keep", **headers: str
    ) -> Reply:
        """A proper answer; `Content_Type="..."` becomes a header."""
        named = {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}
        lines = [f"{k.replace('_', '-')}: {v}\r\n" for k, v in named.items()]
        return Reply(f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode("latin-1") + body, then)

    @staticmethod
    def status(code: int, body: bytes = b"{}", **headers: str) -> Reply:
        return Wire.ok(body, status=f"{code} Whatever", then="keep", **headers)

    @staticmethod
    def raw(text: bytes, then: Then = "close") -> Reply:
        return Reply(text, then)


class Ticking:
    """A clock that moves only when somebody sleeps on it, and remembers how long they did."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        return Clock(
            wall=lambda: self.now, steady=lambda: self.now, sleep=self.sleep, chance=lambda: 0.5
        )


class Net:
    """Servers and clients of one test. Policies allow private hosts and take five seconds."""

    wire = Wire

    def __init__(self) -> None:
        self.ticking = Ticking()
        self.servers: list[asyncio.Server] = []
        self.clients: list[Client] = []

    async def serve(self, *answers: Reply, tls: ssl.SSLContext | None = None) -> Script:
        script = Script(list(answers))
        server = await asyncio.start_server(script.talk, "127.0.0.1", 0, ssl=tls)
        script.port = server.sockets[0].getsockname()[1]
        self.servers.append(server)
        return script

    def make(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        resolver: AbstractResolver | None = None,
        **policy: Any,
    ) -> Client:
        """A client with the ticking clock; other keywords go into its policy."""
        client = Client(
            url,
            headers=headers or {},
            query=query or {},
            policy=Policy(**{"private_hosts": True, "timeout": 5.0, **policy}),
            clock=self.ticking.clock(),
            resolver=resolver,
        )
        self.clients.append(client)
        return client


@pytest.fixture
async def net() -> AsyncIterator[Net]:
    net = Net()
    yield net
    for client in net.clients:
        await client.aclose()
    for server in net.servers:
        server.close()
