"""`headrace keys`: the key that seals credentials."""

from __future__ import annotations

import time

import typer

from headrace.cli.house import reading
from headrace.cli.options import Json
from headrace.cli.show import answer_json, out
from headrace.settings import load
from headrace.store.seals import seal_anew
from headrace.vault import Vault, new_key, retire_keys

_A_MOMENT = 2.0
"""Seconds: longer than from sealing a credential to writing it."""

keys = typer.Typer(help="The key that seals credentials.", no_args_is_help=True)


@keys.command("rotate")
def rotate(json: Json = False) -> None:
    """Seal every credential with a new key, while syncs go on.

    With the key in the data folder a new one is made, and the old ones are retired in the end. With
    HEADRACE_SECRET_KEY: put the new key in front of the old one, restart everything that runs with
    it, and then run this; after that the old one can be taken away.
    """
    settings = load()
    ours = settings.headrace_secret_key is None
    if ours:
        new_key(settings)
    vault = Vault.from_settings(settings)
    with reading() as database:
        sealed, left = seal_anew(database, vault)
        # Who had the old key in hand has written by now.
        time.sleep(_A_MOMENT)
        sealed += seal_anew(database, vault)[0]
    if ours and not left:
        retire_keys(settings)
    if json:
        answer_json({"sealed": sealed, "left": left})
        return
    out.print(f"{sealed} credentials are sealed with the new key.")
    if left:
        out.print(f"{left} could not be opened with any key and stay as they are: connect again.")
    elif not ours:
        out.print("The old key can be taken out of HEADRACE_SECRET_KEY.")
