"""Where the operator is told of alerts: one channel for each address of HEADRACE_ALERT_URLS.

An address is a secret. A channel is called by its place among them and its kind, `1 slack`, and
what the library says of it is kept to the status that it was answered with.
"""

from __future__ import annotations

import re
from typing import Any

from headrace import telemetry
from headrace.errors import BadInput
from headrace.settings import Settings

_SECONDS = 20.0
_KIND = re.compile(r"[a-z0-9]{1,20}", re.IGNORECASE)
_STATUS = re.compile(r"\berror=(\d{3})\b")


class Channels:
    """The channels that the settings name. The library is loaded only where there are any."""

    def __init__(self, settings: Settings) -> None:
        """Raises BadInput for an address that apprise does not know, and where it is missing."""
        secret = settings.headrace_alert_urls
        addresses = secret.get_secret_value().split() if secret else []
        self._services: dict[str, Any] = {}
        if not addresses:
            return
        apprise = _library()
        for number, address in enumerate(addresses, 1):
            service = apprise.Apprise.instantiate(address)
            if service is None:
                raise BadInput(
                    f"Address {number} of HEADRACE_ALERT_URLS is none that apprise knows.",
                    hint="They look like slack://..., mailto://..., json://host/path, with spaces"
                    " between them.",
                )
            kind = _KIND.match(address)
            self._services[f"{number} {kind.group().lower() if kind else 'other'}"] = service

    @property
    def names(self) -> list[str]:
        """What they are called, in the order of the setting."""
        return list(self._services)

    def tell(self, name: str, title: str, body: str, *, good: bool) -> tuple[bool, str]:
        """Tell one of them. Whether it took it, and its answer in words without anything secret."""
        apprise = _library()
        told = apprise.Apprise(self._services[name])
        kind = apprise.NotifyType.SUCCESS if good else apprise.NotifyType.WARNING
        try:
            result = told.notify(body=body, title=title, notify_type=kind, timeout=_SECONDS)
        except Exception as error:  # noqa: BLE001 - a plugin of the library may raise anything
            return False, f"It failed with a {type(error).__name__}."
        if result:
            return True, "It was taken."
        status = _STATUS.search(" ".join(str(entry) for entry in result.logs()))
        if status:
            return False, f"It was answered with status {status[1]}."
        return False, "It could not be reached, or did not take it."


def _library() -> Any:
    try:
        import apprise
    except ImportError:
        raise BadInput(
            "HEADRACE_ALERT_URLS needs the package apprise, which is not installed.",
            hint="Install headrace[alerts] wherever its API and its workers run.",
        ) from None
    telemetry.hush("apprise", "requests", "urllib3")
    return apprise
