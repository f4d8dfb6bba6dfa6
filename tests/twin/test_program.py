"""The twin as a program of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from headrace.errors import BadInput
from headrace.twin import event_id, run_twin
from headrace.twin.datasync import main
from headrace.twin.options import Options, flags, options_from, parse


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def is_listening(url: str) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) == 0


def test_run_twin_serves_until_its_block_ends() -> None:
    with run_twin(total=5, seed=3) as url:
        assert [event["id"] for event in get(f"{url}/events")["data"]] == [
            event_id(3, index) for index in range(5)
        ]
    assert not is_listening(url)


def test_run_twin_ends_with_a_process_that_is_killed() -> None:
    code = "import os; from headrace.twin import run_twin\nwith run_twin() as url:\n  {}"
    act = "print(url, flush=True); os.kill(os.getpid(), 9)"
    killed = subprocess.run(
        [sys.executable, "-c", code.format(act)], capture_output=True, text=True, timeout=30
    )
    assert killed.returncode == -9
    # The twin holds our pipe too: that it has closed is the news that it has ended.
    assert not is_listening(killed.stdout.strip())


def test_options_survive_the_command_line() -> None:
    options = options_from(
        {
            "seed": 7,
            "total": 100,
            "paths": "both",
            "envelope": "documented",
            "api_key": "-- two words",
            "rate_limit": "10/60",
            "cursor_ttl_s": 0.5,
            "edits": 0.25,
            "faults": [{"on": {"every": 2}, "do": {"kind": "answer", "status": 500}}],
            "until_stdin_closes": True,
        }
    )
    assert parse(flags(options)) == options
    assert parse([]) == Options()


def test_fault_rules_may_stand_in_a_file(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('[{"do": {"kind": "hang"}}]')
    assert parse(["--faults", str(rules)]) == parse(["--faults", rules.read_text()])


@pytest.mark.parametrize(
    "wrong",
    [
        {"total": 3_000_001},
        {"totl": 5},
        {"rate_limit": "10"},
        {"edits": 2},
        {"faults": [{"do": {"kind": "reset", "kept": 1}}]},
    ],
)
def test_an_option_that_means_nothing_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"totl|\$\."), run_twin(**wrong):
        pass


@pytest.mark.parametrize(
    "arguments", [["--total", "many"], ["--faults", "[{]"], ["--faults", "no/such/file"]]
)
def test_the_command_ends_with_a_reason(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == BadInput.exit_code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == BadInput.exit_code
    assert str(port) in capsys.readouterr().err
