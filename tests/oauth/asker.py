"""A process that asks for one grant's access token when its input says so, and prints it.

    python asker.py TENANT GRANT [die]

With `die` it kills itself the moment it has the token, before anything was asked with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from headrace.oauth.keeper import Keeper
from headrace.settings import Settings
from headrace.store.database import Database
from headrace.vault import Vault

if __name__ == "__main__":
    settings = Settings(_env_file=None)
    assert settings.database_url
    database = Database(settings.database_url, name="asker", connections=2).open()
    keeper = Keeper(database, Vault.from_settings(settings), settings, *sys.argv[1:3])
    print("ready", flush=True)
    sys.stdin.readline()
    token = asyncio.run(keeper.token())
    if sys.argv[3:] == ["die"]:
        os.kill(os.getpid(), signal.SIGKILL)
    print(token, flush=True)
    database.close()
