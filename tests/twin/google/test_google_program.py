"""The Google twin as a program of its own."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

import pytest

from headrace.errors import BadInput
from headrace.twin import run_google
from headrace.twin.flags import flags
from headrace.twin.google import Google, options_from
from headrace.twin.google.options import Options, parse


def ask(url: str, body: object = None, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(
        urllib.request.Request(url, data=data, headers=headers), timeout=10
    ) as answer:
        return json.load(answer)


def test_run_google_serves_until_its_block_ends() -> None:
    with run_google(account=["bob@example.com"], messages=7) as url:
        scopes = ["https://mail.google.com/"]
        token = ask(f"{url}/admin/grant", {"scopes": scopes})["access_token"]
        profile = ask(f"{url}/gmail/v1/users/me/profile", token=token)
        assert (profile["emailAddress"], profile["messagesTotal"]) == ("bob@example.com", 7)
    with pytest.raises(OSError, match="refused"):
        ask(f"{url}/health")


def test_google_options_survive_the_command_line() -> None:
    options = options_from(
        {
            "seed": 7,
            "account": ["ada@example.com", "3"],
            "history_start": 2**63 + 5,
            "client_secret": "",
            "rotate": True,
            "over_budget": "403",
            "faults": [{"on": {"call": ["token"]}, "do": {"kind": "answer", "status": 500}}],
        }
    )
    assert parse(flags(options)) == options
    assert options.addresses == ["ada@example.com", *(f"user{n}@example.com" for n in (1, 2, 3))]
    assert parse([]) == Options()


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": ["ada"]},
        {"account": []},
        {"messages": 10, "history_start": 10},
        {"history_start": 2**64},
        {"mesages": 5},
        {"over_budget": "500"},
    ],
)
def test_a_google_option_that_means_nothing_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput), run_google(**wrong):
        pass


def test_a_hundred_thousand_messages_are_no_burden() -> None:
    began = time.monotonic()
    box = Google(options_from({"messages": 100_000})).account().mailbox
    assert len(box) == 100_000
    assert time.monotonic() - began < 5
