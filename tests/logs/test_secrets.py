"""No secret is written: not one that this process has held, nor what looks like one, in any field,
by any function that says something."""

from __future__ import annotations

import ast
import inspect
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from tests.heard import heard

from headrace import telemetry
from headrace.logs.fields import FIELDS, LEFT_OUT
from headrace.logs.kept import keep
from headrace.logs.secrets import COVER, Known, cover, hide
from headrace.settings import Settings
from headrace.vault import Vault

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
canaries = st.text(_LETTERS + "-_.~+/:", min_size=12, max_size=60).map("Zq9x{}x".format)
"""As keys and tokens are; and as no field of a line is called."""
around = st.text(max_size=40).filter(lambda text: not set(text) & set(_LETTERS))


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is written to standard error meanwhile, as in production."""
    with heard("DEBUG") as lines:
        yield lines


def _said() -> list[Callable[..., None]]:
    """Every function of telemetry that writes a line, found by its source."""
    found: list[Callable[..., None]] = []
    for name, value in vars(telemetry).items():
        own = inspect.isfunction(value) and value.__module__ == "headrace.telemetry"
        if own and name[0] != "_" and any(f"{one}(" in inspect.getsource(value) for one in _LEVELS):
            found.append(value)
    return found


_LEVELS = ("_info", "_warning", "_error", "_critical")


def _given(function: Callable[..., None], text: str) -> dict[str, Any]:
    """Arguments of the right kinds, with the text in each that can hold one."""
    made: dict[str, Any] = {}
    for name, one in inspect.signature(function).parameters.items():
        kind = str(one.annotation)
        if one.kind is one.VAR_KEYWORD:
            made["surprise"] = text
        elif "BaseException" in kind:
            made[name] = psycopg.errors.UniqueViolation(f"duplicate key {text}")
        elif "dict" in kind:
            made[name] = {"envelope": text, "never heard of": text}
        elif "list" in kind:
            made[name] = [text]
        elif "str" in kind:
            made[name] = "j" if name == "job_id" else text
        else:
            made[name] = 1
    return made


@settings(max_examples=20, deadline=None)
@given(canary=canaries, before=around, after=around)
@example(canary="1//0gcanaryCANARY-canary_1", before="", after="")
@example(canary="canary:canary:canary", before="path/", after="/rest")
def test_no_canary_is_written(canary: str, before: str, after: str) -> None:
    """Covers Logs: whatever a source, a driver or a library repeats of what it was given, in every
    field of every line, in what is kept of jobs, and in tracebacks."""
    err, lines = sys.stderr, io.StringIO()
    kept: list[object] = []
    stop = keep(kept.append)
    hide(canary)
    try:
        sys.stderr = lines
        telemetry.configure("DEBUG")
        functions = _said()
        assert len(functions) > 30
        for form in (canary, quote(canary, safe=""), f"https://x.example/?k={canary}"):
            text = f"{before} {form}{after or ' '}"
            with telemetry.of_job("j"):
                for function in functions:
                    function(**_given(function, text))
                logging.getLogger("some.library").warning("it said %s", text)
    finally:
        sys.stderr = err
        structlog.reset_defaults()
        stop()
    assert len(lines.getvalue().splitlines()) >= 3 * len(functions)
    for form in (canary, json.dumps(canary)[1:-1], quote(canary, safe="")):
        assert form not in lines.getvalue()
        assert form not in str(kept)


@settings(deadline=None)
@given(canary=canaries, cut=st.integers(8, 60))
def test_half_a_secret_is_covered_as_well(canary: str, cut: int) -> None:
    """What is too long is cut off, by others before it comes here."""
    known = Known()
    known.add(canary)
    assert canary[:cut] not in known.cover(f"refused: {canary[:cut]}… and so on")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:{}@db/x",
        "redis://:{}@127.0.0.1/0",
        "GET https://api.example.com/?access_token={}&page=2",
        "Authorization: Bearer {}",
        "Authorization: Basic {}",
        '{{"refresh_token": "{}"}}',
        "client_secret={}",
        "password='{}'",
        "hr_{}",
        "ghp_{}",
        "ya29.{}",
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
        "ERROR: it is there already\nDETAIL:  Key (token)=({}) already exists.",
    ],
)
def test_what_looks_like_a_secret_is_covered(text: str) -> None:
    """Covers Logs: those that this process has never held, such as one that a caller mistyped."""
    covered = cover(text.format("Tm90IGhlbGQgYnkgdGhpcyBwcm9jZXNz"))
    assert "Tm90IGhlbGQ" not in covered
    assert COVER in covered


def test_other_texts_stay_as_they_are() -> None:
    """Or nobody could read the log."""
    for text in (
        "The source answered 429 Too Many Requests; asked again in 30 s.",
        "connection to server at 127.0.0.1, port 5432 failed: Connection refused",
        "https://api.example.com/v1/orders?page=2 answered 500",
        "0b9f6f0e-5f53-4d0e-9a0c-3e8f6a1b2c3d",
        "Set HEADRACE_SECRET_KEY on every machine; the token has expired.",
    ):
        assert cover(text) == text


def test_one_private_key_is_known_and_another_is_not() -> None:
    """They begin alike: to cover the beginning must not hide what the rest is."""
    pem = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"
    hide(pem.format("a2Vwd" * 20))
    covered = cover(f"It said: {pem.format('b3RoZXI' * 20)}.")
    assert covered == f"It said: {COVER}\n."


def test_a_field_that_is_not_listed_is_left_out(log: io.StringIO) -> None:
    """Covers Logs: by allow-list. That something is no secret is said by a person."""
    telemetry.started("api", surprise="canary", jobsAtOnce=4)
    [line] = [json.loads(one) for one in log.getvalue().splitlines()]
    assert line["surprise"] == LEFT_OUT
    assert (line["what"], line["jobsAtOnce"]) == ("api", 4)


def test_every_field_that_is_written_is_listed() -> None:
    """A new one has to be put on the list, or nobody ever sees it."""
    source = ast.parse(Path(inspect.getfile(telemetry)).read_text("utf-8"))
    named = {
        word.arg
        for node in ast.walk(source)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in (*_LEVELS, "tell")
        for word in node.keywords
        if word.arg is not None
    }
    assert len(named) > 40
    assert named - FIELDS - {"exc_info"} == set()
    assert set(telemetry._RUN_FIELDS) <= FIELDS


def test_settings_and_the_vault_hide_what_they_hold() -> None:
    """Nobody has to remember to."""
    Settings(
        _env_file=None,
        headrace_llm_key=SecretStr("setting-canary-1"),
        better_auth_secrets=SecretStr("2:newer-canary-2,1:older-canary-3"),
        database_url="postgresql://me:url-canary-4@db/x",
    )
    vault = Vault(bytes(32))
    sealed = vault.seal(
        '{"access": "sealed-canary-5", "url": "https://x"}', tenant="t", connection="c"
    )
    assert "sealed-canary-5" in vault.open(sealed, tenant="t", connection="c")
    for canary in ("setting-canary-1", "newer-canary-2", "older-canary-3", "url-canary-4"):
        assert canary not in cover(f"it said {canary}.")
    assert cover("sealed-canary-5, https://x") == f"{COVER}, https://x"


def test_what_libraries_say_is_a_line(log: io.StringIO) -> None:
    """One form for all, and the same care."""
    hide("library-canary-1")
    try:
        raise ValueError("library-canary-1")
    except ValueError:
        logging.getLogger("some.library").exception("It failed with %s", "library-canary-1")
    [line] = [json.loads(one) for one in log.getvalue().splitlines()]
    assert (line["event"], line["level"], line["where"]) == ("library", "error", "some.library")
    assert line["note"] == f"It failed with {COVER}"
    assert "Traceback" in line["exception"]
    assert "library-canary" not in str(line)
