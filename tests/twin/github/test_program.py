"""The GitHub twin as a program of its own."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from typing import Any

import pytest

from headrace.errors import BadInput
from headrace.twin import run_github
from headrace.twin.flags import flags
from headrace.twin.github import Options, main, options_from
from headrace.twin.github.options import TokenSpec, parse


def get(url: str) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": "tests"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_run_github_serves_ten_thousand_issues_within_three_seconds() -> None:
    began = time.monotonic()
    with run_github(issues=10_000, repositories=1) as url:
        assert time.monotonic() - began < 3
        assert url.startswith("http://127.0.0.1:")
        assert get(f"{url}/health") == {"status": "ok"}
        assert len(get(f"{url}/truth")["1001"]["issues"]) == 10_000
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) != 0


def test_options_survive_the_command_line() -> None:
    options = options_from(
        {
            "seed": 7,
            "tokens": [{"token": "x y", "scopes": []}],
            "limit_status": 429,
            "app_public_key": "-----BEGIN\nx\n-----",
            "retry_after": "never",
            "faults": [{"call": "issues.list", "do": {"kind": "headers", "set": {"A": "b"}}}],
            "until_stdin_closes": True,
        }
    )
    assert parse(flags(options)) == options
    assert parse([]) == Options()


@pytest.mark.parametrize(
    "wrong",
    [
        {"issues": -1},
        {"isues": 5},
        {"retry_after": "maybe"},
        {"faults": [{"do": {"kind": "empty"}}]},
    ],
)
def test_an_option_that_means_nothing_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"isues|\$\."), run_github(**wrong):
        pass


def test_the_command_ends_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--issues", "many"]) == BadInput.exit_code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_is_printed_of_options_holds_no_token() -> None:
    spec = TokenSpec(token="ghp_canary")
    options = Options(tokens=(spec,), client_secret="canary")
    assert "canary" not in f"{options!r} {spec!r} {options} {spec}"
