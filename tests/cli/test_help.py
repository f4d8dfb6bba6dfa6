"""Every command says what it does, and every one answers in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from headrace import __version__, cli
from headrace.cli.app import app


def commands(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command with the words it is called by."""
    yield path, node
    for name, inner in getattr(node, "commands", {}).items():
        yield from commands(inner, (*path, name))


EVERY = dict(commands(typer.main.get_command(app)))
LEAVES = [path for path, node in EVERY.items() if not hasattr(node, "commands")]


def is_twin(path: tuple[str, ...]) -> bool:
    """Whether it is a program of its own."""
    return path[:1] == ("twin",) and len(path) == 2


def test_there_are_commands() -> None:
    assert len(LEAVES) >= 18


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` and `-h` end with 0, and begin with what the command does."""
    if is_twin(path):
        with pytest.raises(SystemExit) as ended:  # argparse, of a program of its own
            cli._run([*path, "--help"])
        assert ended.value.code == 0
        assert "--latency-ms" in capsys.readouterr().out
        return
    for flag in ("--help", "-h"):
        assert cli._run([*path, flag]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert f"Usage: {' '.join(['headrace', *path])}" in out
        first = str(EVERY[path].help).split("\n", 1)[0]
        assert first.split()[0] in out
        assert first.endswith((".", ",", "if")) or len(first) > 20


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_answers_in_json(path: tuple[str, ...]) -> None:
    if not is_twin(path):
        assert "--json" in [name for option in EVERY[path].params for name in option.opts]


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli._run(["--version"]) == 0
    assert capsys.readouterr().out == f"headrace {__version__}\n"
