"""What goes wrong below HTTP, in one sentence each: every exception of aiohttp ends here."""

from __future__ import annotations

import asyncio
import os

import aiohttp

from headrace.errors import HeadraceError, NeedsHuman, Retry
from headrace.http.policy import Policy


def error_from(problem: Exception, host: str, port: int | None, policy: Policy) -> HeadraceError:
    """The error for an exception raised while a request was under way."""
    where = f"{host}:{port}"
    if isinstance(problem, (TimeoutError, asyncio.TimeoutError)):
        return Retry(
            f"{where} did not finish its answer within {policy.timeout:g} seconds.",
            hint="It is tried again.",
        )
    if isinstance(problem, aiohttp.ClientConnectorCertificateError):
        return NeedsHuman(
            f"The certificate of {where} is not valid for it.",
            hint=f"Check {policy.address}; if the service uses its own authority, install that"
            " certificate.",
        )
    if isinstance(problem, aiohttp.ClientConnectorSSLError):
        return Retry(
            f"{where} does not speak TLS as it should.", hint="Check whether it is http or https."
        )
    if isinstance(problem, aiohttp.ClientConnectorDNSError):
        return Retry(
            f"The name {host} (port {port}) is not known to the name server.",
            hint=f"Check {policy.address} and the network.",
        )
    if isinstance(problem, aiohttp.ClientConnectorError):
        reason = _reason(problem.os_error)
        return Retry(
            f"{where} cannot be reached: {reason}.",
            hint=f"Check {policy.address}, and that the service runs there.",
        )
    if isinstance(problem, aiohttp.InvalidURL):
        return NeedsHuman(
            f"The address of {host} is not one that can be called.",
            hint=f"Check {policy.address}.",
        )
    if isinstance(problem, aiohttp.ClientPayloadError):
        return Retry(f"{where} broke off its answer before the end.", hint="It is tried again.")
    if isinstance(problem, aiohttp.ClientResponseError):
        return Retry(f"{where} sent an answer that is not proper HTTP.", hint="It is tried again.")
    return Retry(f"{where} closed the connection without an answer.", hint="It is tried again.")


def _reason(error: OSError) -> str:
    """The system's word for it: asyncio's own names the address once more, as Python writes it."""
    number = error.errno
    if number is None or number <= 0:
        return "no connection"
    return os.strerror(number).lower()
