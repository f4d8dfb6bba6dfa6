"""One frozen settings object, read from the environment once, wrong values refused at start.

Each file here has the settings of one subject; each field's description is its documentation.
"""

from __future__ import annotations

import difflib
import os
import re
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from headrace.errors import BadInput
from headrace.logs.secrets import hide
from headrace.settings.accounts import BETTER_AUTH_COLUMNS as BETTER_AUTH_COLUMNS
from headrace.settings.accounts import Accounts
from headrace.settings.alerting import Alerting
from headrace.settings.keeping import Keeping
from headrace.settings.meaning import Meaning
from headrace.settings.redis import Redis
from headrace.settings.service import Service
from headrace.settings.source import Source
from headrace.settings.working import Working


class Settings(Source, Accounts, Redis, Meaning, Keeping, Alerting, Working, Service):
    """Every setting that Headrace reads."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    def model_post_init(self, context: object, /) -> None:
        """Whatever is secret in them is covered wherever it would be written."""
        super().model_post_init(context)
        for _, value in self:
            if isinstance(value, SecretStr):
                text = value.get_secret_value()
                # Some hold several, with their versions before them.
                hide(text, *re.split(r"[,:\s]+", text))
            elif isinstance(value, str) and "://" in value and "@" in value:
                hide(_password(value))


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None


def load(**overrides: object) -> Settings:
    """Read the settings. Raises BadInput naming the variable, what is wrong and a near name."""
    known = {name.upper() for name in Settings.model_fields}
    for name in (*os.environ, *(one.upper() for one in dotenv_values(".env"))):
        if name.startswith("HEADRACE_CRASH"):
            continue  # the crash suite's own: see headrace.crashpoints
        if name.startswith("HEADRACE_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else "See docs/reference/settings.md."
            raise BadInput(f"There is no setting {name}.", hint=hint)
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        raise BadInput(
            f"The setting {name} cannot be used: {first['msg']}.",
            hint="See docs/reference/settings.md.",
        ) from None
    return settings
