"""What a person types wrong: told at once, in one sentence, with what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.cli.command import House, made_home


@pytest.fixture(scope="module")
def nowhere() -> Iterator[House]:
    """A house without a server: what is wrong with a line is known before one is needed."""
    with made_home() as home:
        yield House(home, COLUMNS="60")


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("serch x", r"^No such command 'serch'\.$", r"Did you mean 'search'\?"),
        ("frobnicate", r"^No such command 'frobnicate'\.$", r"`headrace --help` shows"),
        ("jobs shwo x", r"^No such command 'shwo'\.$", r"Did you mean 'show'\?"),
        ("sync --spc x", r"^No such option: --spc\.$", r"Did you mean --spec\?"),
        ("sync --nonsense", r"^No such option", r"`headrace sync --help` shows"),
        ("sync a b", r"unexpected extra argument", r"`headrace sync --help` shows"),
        ("ingest", r"^Missing argument", r"`headrace ingest --help` shows"),
        ("dead-letters show ten", r"^Invalid value for", r"`headrace dead-letters show --help`"),
        ("search x --limit 0", r"^Invalid value for '--limit'", r"`headrace search --help` shows"),
        ("search x --limit", r"--limit.* requires an argument", r"--help` shows"),
        ("demo --events 5", r"^Invalid value for '--events'", r"`headrace demo --help` shows"),
        ("twin datasink", r"^No such command", r"Did you mean 'datasync'\?"),
        ("ingest /there/is/nothing", r"^There is nothing at /there/is/nothing\.$", r"Check the pa"),
        ("ingest *.mbox", r"^Nothing matches \*\.mbox\.$", r"through folders"),
        (
            "ingest upload://../x",
            r"^The name of an upload has no slash at its ends",
            r"Write it as",
        ),
        ("ingest ~nobody-of-that-name/x", r"^There is nothing at ~nobody-of", r"Check the path"),
        ("sync --spec nowhere.yaml", r"^The spec nowhere\.yaml cannot be read: No such", r""),
    ],
)
def test_the_line_itself(nowhere: House, line: str, message: str, hint: str) -> None:
    """Every misuse ends with 64 (EX_USAGE), a sentence and a hint, a line each however narrow."""
    ran = nowhere.look(*line.split(" "))
    ran.refused(64, message, hint)
    assert ran.out == ""


@pytest.mark.parametrize("line", ["", "jobs", "connections", "dead-letters", "twin"])
def test_a_command_without_its_second_word_shows_the_help(nowhere: House, line: str) -> None:
    ran = nowhere.look(*line.split())
    assert (ran.code, ran.err.strip()) == (64, "")
    assert "Usage: headrace" in ran.out


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [
        ("HEADRACE_HOEM", "x", r"^There is no setting HEADRACE_HOEM\.$", "mean HEADRACE_HOME"),
        ("HEADRACE_TYPO", "1", r"^There is no setting HEADRACE_TYPO\.$", "Did you mean HEADRACE_"),
        ("BATCH_SIZE", "many", r"^The setting BATCH_SIZE cannot be used", "settings.md"),
        ("BATCH_SIZE", "0", r"^The setting BATCH_SIZE cannot be used", "settings.md"),
        ("SERVICE_PORT", "99999", r"^The setting SERVICE_PORT cannot be used", "settings.md"),
        ("API_BASE_URL", "nonsense", r"base_url cannot be used: write it as https", ""),
        ("API_BASE_URL", "https://me:pw@x.example", r"holds a user name or password", ""),
    ],
)
def test_a_setting(
    nowhere: House,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    message: str,
    hint: str,
) -> None:
    """Covers A2.4, A2.6: refused at the start, before anything is touched."""
    monkeypatch.setenv(name, value)
    nowhere.look("sync").refused(64, message, hint)


SPEC = """\
name: shop
base_url: https://api.example.com
streams:
  orders:
    path: /orders
"""


@pytest.mark.parametrize(
    ("wrong", "right", "message", "hint"),
    [
        ("pth: /orders", "path: /orders", r", line 5: there is no key 'pth'", "mean 'path'"),
        ("bas_url: x", "base_url: https://api.example.com", r", line 2: .* 'bas_url'", "base_url"),
        ("base_url: api", "base_url: https://api.example.com", r"line 2: base_url cannot", ""),
        ("streams: 5", "streams:", r"streams cannot be used|line ", ""),
        ("name: [", "name: shop", r"line \d+: ", ""),
        ("name: a b", "name: shop", r"line 1: name cannot be used: 'a b' is not a name", ""),
        ("\tpath: /orders", "path: /orders", r"line 5", ""),
    ],
)
def test_a_spec(
    nowhere: House,
    tmp_path_factory: pytest.TempPathFactory,
    wrong: str,
    right: str,
    message: str,
    hint: str,
) -> None:
    """A spec's mistake is named by its line, with the key that was meant."""
    path = tmp_path_factory.mktemp("specs") / "shop.yaml"
    path.write_text(SPEC.replace(right, wrong))
    nowhere.look("sync", "--spec", str(path)).refused(64, message, hint)


def test_a_traceback_is_for_those_who_ask(house: House) -> None:
    """The same two lines, and the trace above them; wherever on the line it was asked for."""
    plain = house.run("jobs", "show", "nonsense")
    plain.refused(64, r"^There is no job nonsense\.$", r"`headrace jobs list` shows them")
    for line in (
        ["--traceback", "jobs", "show", "nonsense"],
        ["jobs", "show", "nonsense", "--traceback"],
    ):
        ran = house.run(*line)
        assert ran.code == 64
        assert ran.err.startswith("Traceback (most recent call last):")
        assert ran.err.splitlines()[-2:] == plain.err.splitlines()


def test_what_follows_two_dashes_is_no_option(house: House) -> None:
    assert house.run("search", "--", "--traceback").ok().out.startswith("Nothing found")
