"""Sending one message once, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from standardwebhooks import Webhook

from headrace.errors import HeadraceError
from headrace.http import Answer, Client, Policy, waits
from headrace.settings import Settings
from headrace.text import one_line

_ANY: Final = range(100, 600)
_LONGEST_ANSWER = 500
"""Characters of an answer that are kept."""
_MOST_BYTES = 64 * 1024
GONE = 410
"""By Standard Webhooks: the endpoint wants to be told nothing any more."""
_BUSY = frozenset({408, 425, 429})


class Message(msgspec.Struct, frozen=True):
    """What is told. It is the same text whenever it is sent."""

    id: str
    event: str
    at: datetime
    data: Mapping[str, Any]

    @property
    def body(self) -> str:
        """As it is sent, and signed."""
        told = {
            "type": self.event,
            "timestamp": self.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "data": self.data,
        }
        return msgspec.json.encode(told, order="sorted").decode()


class Outcome(msgspec.Struct, frozen=True):
    """What came of one attempt. `status` is None where nobody answered; `after` is for how many
    seconds the endpoint wants to be left alone."""

    status: int | None
    answer: str
    ms: int
    after: float | None = None

    @property
    def fine(self) -> bool:
        """It was taken."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def away(self) -> bool:
        """It is the endpoint that fails, whatever it is sent."""
        return self.status is None or self.status >= 500 or self.status in _BUSY


def policy(settings: Settings, *, trusted: bool) -> Policy:
    """How an endpoint is asked: once, and nowhere that whoever named it may not reach."""
    return Policy(
        retries=0,
        timeout=settings.headrace_webhook_timeout,
        max_body=_MOST_BYTES,
        private_hosts=trusted or settings.headrace_private_hosts,
        address="the webhook's address",
    )


def check(settings: Settings, url: str, *, trusted: bool) -> None:
    """Refuse an address that would never be called. Raises NeedsHuman."""
    Client(url, policy=policy(settings, trusted=trusted))


def headers(message: Message, body: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The id, the time of this attempt, and a signature by each secret."""
    signed = [Webhook(one).sign(message.id, now, body) for one in secrets]
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signed),
    }


async def send(
    settings: Settings, url: str, message: Message, secrets: Sequence[str], *, trusted: bool
) -> Outcome:
    """Send it once. Raises nothing that the endpoint could cause."""
    began = time.monotonic()
    body = message.body
    try:
        client = Client(url, policy=policy(settings, trusted=trusted))
        try:
            signed = headers(message, body, secrets, datetime.now(UTC))
            answer = await client.request(
                "POST", url, headers=signed, json=body.encode(), allow=_ANY
            )
        finally:
            await client.aclose()
    except HeadraceError as error:
        return Outcome(None, str(error), _ms(began))
    return Outcome(answer.status, _said(answer), _ms(began), _after(answer))


def _said(answer: Answer) -> str:
    return one_line(answer.body.decode(errors="replace"), _LONGEST_ANSWER)


def _after(answer: Answer) -> float | None:
    fine = 200 <= answer.status < 300
    return None if fine else waits.advised(answer.headers, time.time())


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
