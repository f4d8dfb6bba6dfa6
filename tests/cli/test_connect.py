"""`headrace connect`, from the command to the first sync, with the twin for Google."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from headrace.twin import run_google

_COMMAND = [sys.executable, "-m", "headrace.cli"]


@pytest.fixture
def google(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A twin that the settings point to; its URL."""
    with run_google(messages=5, events=5, client_id="cid", client_secret="canary-secret") as url:
        for name, path in {
            "GOOGLE_AUTH_URL": "/o/oauth2/v2/auth",
            "GOOGLE_TOKEN_URL": "/token",
            "GOOGLE_DEVICE_URL": "/device/code",
            "GMAIL_BASE_URL": "",
            "GOOGLE_CALENDAR_BASE_URL": "",
        }.items():
            monkeypatch.setenv(name, url + path)
        monkeypatch.setenv("GOOGLE_CLIENT_ID", "cid")
        monkeypatch.setenv("GOOGLE_CLIENT_SECRET", "canary-secret")
        monkeypatch.setenv("DATABASE_URL", database)
        monkeypatch.setenv("BROWSER", "true")
        yield url


def consent_page(process: subprocess.Popen[str]) -> str:
    """The address that the command shows."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.strip().startswith("http"):
            return line.strip()
    raise AssertionError("no address was shown")


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*_COMMAND, "connect", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_in_a_browser_on_this_machine(google: str) -> None:
    """Covers A0.17, O7: one consent, two connections, and the command that comes next."""
    with start("gmail", "google_calendar", "--set", "items_per_run=50", "--json") as process:
        with urllib.request.urlopen(consent_page(process), timeout=30) as answer:
            assert b"go on in the terminal" in answer.read()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    made = json.loads(out)
    assert [one["provider"] for one in made["connections"]] == ["gmail", "google_calendar"]
    assert made["refused"] == {}
    assert "canary" not in out + err


def test_in_a_browser_elsewhere(google: str) -> None:
    """The address that the other browser ended up at is pasted; a wrong one says so."""
    for pasted, code in (("http://127.0.0.1:1/?nothing=1", 64), (None, 0)):
        with start("gmail", "--paste", "--json") as process:
            address = consent_page(process)
            if pasted is None:
                pasted = redirected(address)
            _, err = process.communicate(f"{pasted}\n", timeout=60)
        assert process.returncode == code, err
        assert ("not the address of the page" in err) == bool(code)


def redirected(address: str) -> str:
    """Where the issuer sends a browser."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    try:
        urllib.request.build_opener(Stay).open(address, timeout=30)
    except urllib.error.HTTPError as answer:
        return str(answer.headers["Location"])
    raise AssertionError("nobody was sent anywhere")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gmail", "github"], "One consent is of one issuer"),
        (["gmial"], "Did you mean gmail?"),
        (["mailbox"], "has no accounts to connect"),
        (["gmail", "--set", "days"], "has no value"),
        (["gmail", "--set", "dayz=3"], "gmail cannot be configured so: dayz"),
        (["github", "--key", "ghp_not_a_file"], "The key cannot be read"),
    ],
)
def test_what_cannot_be(google: str, words: list[str], said: str) -> None:
    done = subprocess.run(
        [*_COMMAND, "connect", *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 64
    assert said in done.stderr
