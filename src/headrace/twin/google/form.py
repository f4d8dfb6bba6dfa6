"""What OAuth clients send: a form, read strictly, and who they say they are."""

from __future__ import annotations

import base64
from hmac import compare_digest
from urllib.parse import parse_qsl, unquote

from headrace.twin.google.options import Options
from headrace.twin.google.problem import OAuthProblem
from headrace.twin.message import Request

_TYPE = "application/x-www-form-urlencoded"


def read_form(request: Request) -> dict[str, str]:
    """The form of a request. Raises OAuthProblem (invalid_request) if it has none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _TYPE:
        raise OAuthProblem("invalid_request", f"The content type must be {_TYPE}.")
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    form = dict(pairs)
    if len(form) < len(pairs):
        raise OAuthProblem("invalid_request", "Parameters must not be repeated.")
    return form


def needed(form: dict[str, str], name: str) -> str:
    """A parameter that must be there. Raises OAuthProblem (invalid_request)."""
    if not form.get(name):
        raise OAuthProblem("invalid_request", f"Missing required parameter: {name}")
    return form[name]


def check_client(request: Request, form: dict[str, str], options: Options) -> None:
    """Raises OAuthProblem (invalid_client) unless id and secret are those of our client."""
    name, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
    if not name:
        raise OAuthProblem("invalid_request", "Could not determine client ID from request.")
    if name != options.client_id:
        raise OAuthProblem("invalid_client", "The OAuth client was not found.", 401)
    if not compare_digest(secret.encode(), options.client_secret.encode()):
        raise OAuthProblem("invalid_client", "Unauthorized", 401)


def _basic(request: Request) -> tuple[str, str] | None:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(text).decode().partition(":")
    except ValueError:
        return None
    return unquote(name), unquote(secret)
