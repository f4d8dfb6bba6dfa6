"""`/metrics`: numbers for Prometheus, of all tenants together, and no name of anybody's."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials

from headrace.api.auth import bearer_key, header_key, visit
from headrace.errors import NotFound
from headrace.out.metrics.page import Page
from headrace.settings import Settings

router = APIRouter(tags=["metrics"])

_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def reader(
    request: Request,
    header: Annotated[str | None, Security(header_key)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(bearer_key)] = None,
) -> None:
    """Let in who may read the numbers. Raises Unauthorized without a key that is known, NotFound
    for one that is not the installation's own."""
    settings: Settings = request.app.state.settings
    if settings.headrace_metrics_open and _is_here(request):
        return
    key = header or (bearer.credentials if bearer else "")
    own = settings.headrace_metrics_key
    if own is not None and hmac.compare_digest(key.encode(), own.get_secret_value().encode()):
        return
    if not visit(request, header, bearer).acts_for_all:
        raise NotFound(
            "There are no metrics for this key.",
            hint="They are of all tenants together: use HEADRACE_METRICS_KEY, or a key of the"
            " installation's own.",
        )


def _is_here(request: Request) -> bool:
    """Whether a program on this machine asks for itself: not a proxy for somebody else, nor a page
    of another site that calls this machine by a name of its own."""
    if any(name in request.headers for name in _PASSED_ON):
        return False
    called = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return _is_loopback(request.client.host if request.client else "") and (
        called == "localhost" or _is_loopback(called)
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@router.get(
    "/metrics",
    dependencies=[Depends(reader)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "For Prometheus."}},
)
def metrics(request: Request) -> Response:
    """Numbers of the whole installation, for Prometheus: right whichever process is asked. They
    name no person, tenant or account."""
    page: Page = request.app.state.metrics
    text, media_type = page.told(request.headers.get("accept", ""))
    return Response(text, headers={"content-type": media_type})
