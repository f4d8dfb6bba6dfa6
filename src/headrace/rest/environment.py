"""One REST source from the environment alone: the shape of seed 002's DataSync API."""

from __future__ import annotations

from headrace.errors import BadInput
from headrace.rest.spec import RestSpec
from headrace.rest.specfile import parse_spec
from headrace.settings import Settings


def spec_from_environment(settings: Settings) -> RestSpec:
    """The spec for API_BASE_URL, BATCH_SIZE, RATE_LIMIT_DELAY_MS and API_KEY (A2.4, A2.6, A2.7).

    It holds the key: take that out with `without_key` and seal it before the spec is stored.

    Its documents say /api/v1/events and its server says /events: both are tried (A2.24). Raises
    BadInput when API_BASE_URL is not set or is no address.
    """
    if settings.api_base_url is None:
        raise BadInput(
            "API_BASE_URL is not set.",
            hint="Set it to the address of the API, or name a spec file.",
        )
    auth = None
    if settings.api_key is not None:
        auth = {"header": "X-API-Key", "key": settings.api_key.get_secret_value()}
    return parse_spec(
        {
            "name": "datasync",
            "base_url": settings.api_base_url,
            "auth": auth,
            "delay_ms": settings.rate_limit_delay_ms,
            "streams": {
                "events": {
                    "path": ["/events", "/api/v1/events"],
                    "time": "timestamp",
                    "limit": {"value": settings.batch_size},
                }
            },
        },
        where="The environment",
    )
