"""What is tried again, how often, and how long is waited in between."""

from __future__ import annotations

import random
from typing import Any

import pytest

from headrace.errors import NeedsHuman, Retry
from headrace.http import GOOGLE, Clock, Policy
from headrace.http.policy import backoff

LATER = "Tue, 14 Nov 2023 22:13:23 GMT"  # three seconds after the ticking clock's beginning


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504, 599])
async def test_trouble_is_tried_again_five_times(net: Any, code: int) -> None:
    """Covers R8, A2.12, A2.35, X4: 408, 429 and 5xx are retried, five times for REST."""
    script = await net.serve(net.wire.status(code))

    with pytest.raises(Retry, match="after 6 attempts"):
        await net.make(script.url).request("GET", "/events")

    assert len(script.requests) == 6
    assert len(net.ticking.slept) == 5


async def test_google_is_asked_three_times_more(net: Any) -> None:
    """Covers A1.14, A1.13, X4: the policy belongs to the provider."""
    script = await net.serve(net.wire.status(503))

    with pytest.raises(Retry):
        await net.make(script.url, retries=GOOGLE.retries).request("GET", "/")

    assert len(script.requests) == 4
    assert GOOGLE.timeout == 10


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 405, 409, 410, 418, 422, 451])
async def test_other_4xx_are_never_tried_again(net: Any, code: int) -> None:
    """Covers R8: asking again cannot help, so a person has to."""
    script = await net.serve(net.wire.status(code))

    with pytest.raises(NeedsHuman):
        await net.make(script.url).request("GET", "/events")

    assert len(script.requests) == 1
    assert net.ticking.slept == []


async def test_a_source_that_recovers_is_not_noticed(net: Any) -> None:
    """Covers R8, A1.11, A2.12: trouble in between leaves no trace in the answer."""
    script = await net.serve(
        net.wire.status(502), net.wire.raw(b"", "reset"), net.wire.ok(b'{"data":[1]}')
    )

    answer = await net.make(script.url).request("GET", "/events")

    assert answer.body == b'{"data":[1]}'
    assert len(script.requests) == 3


async def test_thirty_percent_of_everything_fails(net: Any) -> None:
    """Covers R8: a mix of faults in three answers of ten, and no page is lost."""
    dice = random.Random(7)
    faults = [
        net.wire.status(500),
        net.wire.status(429),
        net.wire.status(408),
        net.wire.raw(b"", "reset"),
        net.wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "close"),
        net.wire.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "close"),
    ]
    answers = [
        dice.choice(faults) if dice.random() < 0.3 else net.wire.ok(b"%d" % number)
        for number in range(200)
    ]
    script = await net.serve(*answers, net.wire.ok(b"last"))
    client = net.make(script.url)
    received: list[bytes] = []
    while not received or received[-1] != b"last":
        received.append((await client.request("GET", "/events")).body)

    expected = [a.raw.rpartition(b"\r\n\r\n")[2] for a in answers if a not in faults]
    assert received == [*expected, b"last"]


@pytest.mark.parametrize(
    ("said", "slept"),
    [("2", 2.0), ("2.5", 2.5), ("1700000003", 3.0), (LATER, 3.0), ("4.999", 4.999)],
)
async def test_a_short_retry_after_is_slept_to_the_second(
    net: Any, said: str, slept: float
) -> None:
    """Covers R6, A2.32, A2.33: the wait that was asked for, then the same request."""
    script = await net.serve(net.wire.status(429, Retry_After=said), net.wire.ok())

    await net.make(script.url).request("GET", "/events", params={"cursor": "x"})

    assert net.ticking.slept == [pytest.approx(slept, abs=1e-6)]
    assert script.requests[0].line == script.requests[1].line


@pytest.mark.parametrize("said", ["0", "-3", "soon", "Tue, 14 Nov 2023 22:00:00 GMT", "nan"])
async def test_a_useless_retry_after_leaves_the_backoff(net: Any, said: str) -> None:
    """Covers R6: zero, negative, garbage and the past do not make a client hammer."""
    script = await net.serve(net.wire.status(503, Retry_After=said), net.wire.ok())

    await net.make(script.url).request("GET", "/events")

    assert net.ticking.slept == [0.25]


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"Retry_After": "60"}, 60),
        ({"Retry_After": "Tue, 14 Nov 2023 22:43:20 GMT"}, 1800),
        ({"Retry_After": "31536000"}, 86_400),
        ({"X_RateLimit_Reset": "42"}, 42),
        ({"X_RateLimit_Reset": "1700000042"}, 42),
        ({"X_RateLimit_Reset": "1700000042000"}, 42),
        ({"X_RateLimit_Reset": "2023-11-14T22:14:02Z"}, 42),
        ({"RateLimit_Reset": "42"}, 42),
    ],
)
async def test_a_long_wait_parks_the_job(net: Any, headers: dict[str, str], after: float) -> None:
    """Covers R6, R7, A2.31: raised for a durable sleep, cut to a day, and no worker is held."""
    script = await net.serve(net.wire.status(429, **headers))

    with pytest.raises(Retry) as caught:
        await net.make(script.url).request("GET", "/events")

    assert caught.value.after == pytest.approx(after, abs=1e-3)
    assert len(script.requests) == 1
    assert net.ticking.slept == []


async def test_a_refusal_for_the_rate_may_say_403(net: Any) -> None:
    """Covers G10, H5: by its headers or its words; without a time it is left alone a minute."""
    for answer, after in [
        (net.wire.status(403, Retry_After="90"), 90),
        (net.wire.status(403, X_RateLimit_Remaining="0", X_RateLimit_Reset="1700003600"), 3600),
        (net.wire.status(403, b'{"error":{"errors":[{"reason":"userRateLimitExceeded"}]}}'), 60),
        (net.wire.status(403, b'{"message":"You have exceeded a secondary rate limit"}'), 60),
        (net.wire.status(429, b'{"message":"You have exceeded a secondary rate limit"}'), 60),
    ]:
        script = await net.serve(answer)
        with pytest.raises(Retry) as caught:
            await net.make(script.url).request("GET", "/")
        assert caught.value.after == pytest.approx(after)


async def test_a_secondary_limit_is_not_over_at_the_reset_of_the_primary_one(net: Any) -> None:
    """Covers H5: where it names no time, that is our choice, and a failure; each wait doubles."""
    body = b'{"message":"You have exceeded a secondary rate limit"}'
    beside = {"X_RateLimit_Remaining": "4000", "X_RateLimit_Reset": "1700003600"}
    for status in (403, 429):
        script = await net.serve(net.wire.status(status, body, **beside))
        with pytest.raises(Retry) as caught:
            await net.make(script.url).request("GET", "/")
        assert (caught.value.after, caught.value.failure, caught.value.doubles) == (60, True, True)
    script = await net.serve(net.wire.status(403, body, **beside, Retry_After="90"))
    with pytest.raises(Retry) as caught:
        await net.make(script.url).request("GET", "/")
    assert (caught.value.after, caught.value.failure, caught.value.doubles) == (90, False, False)


async def test_a_403_about_permission_is_for_a_person(net: Any) -> None:
    """Covers G10: insufficientPermissions is never retried."""
    body = b'{"error":{"errors":[{"reason":"insufficientPermissions"}],"message":"no"}}'
    script = await net.serve(net.wire.status(403, body))

    with pytest.raises(NeedsHuman):
        await net.make(script.url).request("GET", "/")

    assert len(script.requests) == 1


def test_full_jitter() -> None:
    """Covers R8: anything from nothing to a ceiling that doubles up to the longest wait."""
    policy = Policy(first_wait=0.5, max_wait=5)
    lucky, unlucky = Clock(chance=lambda: 0.0), Clock(chance=lambda: 1.0)

    assert [backoff(policy, n, unlucky) for n in range(6)] == [0.5, 1, 2, 4, 5, 5]
    assert [backoff(policy, n, lucky) for n in range(6)] == [0] * 6
    assert backoff(policy, 10_000, unlucky) == 5


async def test_parse_may_ask_for_another_attempt(net: Any) -> None:
    """Covers R10: a body that does not decode is fetched again."""
    script = await net.serve(net.wire.ok(b'{"data"'), net.wire.ok(b'{"data":[]}'))

    def parse(answer: Any) -> Any:
        if not answer.body.endswith(b"}"):
            raise Retry("not whole")
        return answer.body

    assert await net.make(script.url).ask("GET", "/", parse=parse) == b'{"data":[]}'


async def test_what_is_allowed_is_returned(net: Any) -> None:
    """Covers R18: whether a 410 means an old cursor is for the provider to say."""
    script = await net.serve(net.wire.status(410, b'{"message":"gone"}'))
    client = net.make(script.url)

    answer = await client.request("GET", "/events", allow={410})

    assert answer.status == 410
    assert isinstance(client.error(answer), NeedsHuman)
