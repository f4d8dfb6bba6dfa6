"""`headrace connect`: one's own accounts, by a consent in a browser or by a key."""

from __future__ import annotations

import getpass
import sys
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import typer
import yaml
from rich.markup import escape

from headrace.cli.house import TENANT, USER, reading
from headrace.cli.opening import show
from headrace.cli.options import Json
from headrace.cli.receiver import receive
from headrace.cli.show import answer_json, out, say
from headrace.errors import BadInput
from headrace.oauth import connect as made
from headrace.oauth import consent, endpoint
from headrace.oauth.connect import Wish
from headrace.oauth.issuers import issuer
from headrace.settings import Settings, load
from headrace.store.connections import ConnectionRow
from headrace.store.database import Database
from headrace.vault import Vault

_PASTED = "http://127.0.0.1:1/"
"""Where a browser on another machine ends up: nothing answers, and its address has the code."""


def connect(
    providers: Annotated[
        list[str], typer.Argument(help="gmail, google_calendar, github: those of one issuer.")
    ],
    account: Annotated[
        str | None, typer.Option(help="Which account, where the browser knows several.")
    ] = None,
    paste: Annotated[
        bool, typer.Option(help="Consent in a browser elsewhere, and paste its address here.")
    ] = False,
    device: Annotated[
        bool, typer.Option(help="Consent on another device by typing a code there.")
    ] = False,
    key: Annotated[
        str | None,
        typer.Option(
            help="A file with a key instead of a consent, such as a personal access"
            " token; - asks for it."
        ),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of its config. Repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Connect an account, so that it is synced every 15 minutes while Headrace runs."""
    settings = load()
    wishes = [Wish(name, config=_config(option or [])) for name in dict.fromkeys(providers)]
    made.issuer_of(wishes)
    with reading() as database:
        vault = Vault.from_settings(settings)
        refused: dict[str, str] = {}
        if key is not None:
            rows = _by_key(database, vault, settings, wishes, key)
        elif device:
            rows, refused = _by_device(database, vault, settings, wishes)
        else:
            rows, refused = _by_browser(database, vault, settings, wishes, account, paste=paste)
    if json:
        shown = ("connection_id", "name", "provider", "account")
        answer_json({"connections": [{one: row[one] for one in shown} for row in rows],
                     "refused": refused})  # fmt: skip
        return
    for row in rows:
        out.print(f"Connected [bold]{escape(row['name'])}[/bold].")
    for name, why in refused.items():
        out.print(f"Not connected: {name}. {escape(why)}")
    named = f" {rows[0]['name']}" if len(rows) == 1 else ""
    out.print(f"`headrace sync{named}` brings it in now; `headrace up` keeps it current.")


def _by_browser(
    database: Database,
    vault: Vault,
    settings: Settings,
    wishes: list[Wish],
    account: str | None,
    *,
    paste: bool,
) -> tuple[list[ConnectionRow], dict[str, str]]:
    with receive() as (address, wait):
        asked = consent.Asked(
            wishes=wishes, redirect_uri=_PASTED if paste else address, hint=account, trusted=True
        )
        url = consent.begin(database, vault, settings, TENANT, USER, asked)
        say(f"Open this address and allow what it asks:\n\n  {escape(url)}\n")
        if paste:
            say("The browser then shows an error; paste the address of that page here:")
            came = _query(sys.stdin.readline().strip())
        else:
            if not show(url):
                say("There is no browser here. Elsewhere, open it after Control-C and --paste.")
            came = wait(consent.LIFETIME)
    if "state" not in came:
        raise BadInput(
            "That is not the address of the page after the consent.",
            hint=f"It begins with {_PASTED}?state=",
        )
    back = consent.returned(database, vault, came["state"])
    ended = consent.finish(
        database, vault, settings, back, code=came.get("code"), error=came.get("error")
    )
    return ended.connections, ended.refused


def _by_device(
    database: Database, vault: Vault, settings: Settings, wishes: list[Wish]
) -> tuple[list[ConnectionRow], dict[str, str]]:
    there = issuer(made.issuer_of(wishes), settings)
    begun = endpoint.device(there, made.scopes_of(wishes))
    say(f"Open {escape(begun.url)} on any device and type: [bold]{escape(begun.user_code)}[/bold]")
    until = time.monotonic() + begun.seconds
    while True:
        try:
            tokens = endpoint.for_device(there, begun)
            break
        except endpoint.Pending as pending:
            if time.monotonic() >= until:
                raise BadInput("Nobody typed the code in time.", hint="Connect again.") from None
            time.sleep(max(begun.interval, pending.after or 0))
    return made.connect(
        database,
        vault,
        settings,
        tenant=TENANT,
        user=USER,
        tokens=tokens,
        wishes=wishes,
        trusted=True,
    )


def _by_key(
    database: Database, vault: Vault, settings: Settings, wishes: list[Wish], key: str
) -> list[ConnectionRow]:
    return [
        made.connect_with_key(
            database,
            vault,
            settings,
            tenant=TENANT,
            user=USER,
            wish=wish,
            key=_read_key(key),
            trusted=True,
        )
        for wish in wishes
    ]


def _read_key(key: str) -> str:
    """The key in a file, on standard input, or typed unseen. Raises BadInput."""
    if key == "-":
        text = getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.read()
    else:
        try:
            text = Path(key).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(
                f"The key cannot be read from {key[:40]!r}: {error.__class__.__name__}.",
                hint="Name a file that holds it, or - to be asked: not the key itself, which"
                " others could see.",
            ) from None
    if not text.strip():
        raise BadInput("The key is empty.", hint="Give the key that the provider has made.")
    return text.strip()


def _config(options: list[str]) -> dict[str, Any]:
    config = {}
    for one in options:
        name, sign, value = one.partition("=")
        if not sign:
            raise BadInput(f"--set {one} has no value.", hint="Write --set days=30.")
        try:
            config[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise BadInput(
                f"The value of --set {name} cannot be read.", hint="Write it as in YAML."
            ) from None
    return config


def _query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
