"""Refusals in the shapes that Google's APIs and Google's OAuth endpoints give them."""

from __future__ import annotations

import msgspec

from headrace.twin.google.clock import rfc3339
from headrace.twin.message import Answer, Refused

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    429: "RESOURCE_EXHAUSTED",
}


class Problem(Refused):
    """Ends a call with `{"error": {"code", "message", "errors": [...], "status"}}`."""

    def __init__(
        self, status: int, reason: str, message: str, domain: str = "global", **where: str
    ) -> None:
        super().__init__(status, message)
        detail = {"message": message, "domain": domain, "reason": reason, **where}
        error: dict[str, object] = {"code": status, "message": message, "errors": [detail]}
        if domain != "calendar" and status in _STATUS:
            error["status"] = _STATUS[status]
        headers = {}
        if status == 401:
            headers["WWW-Authenticate"] = (
                'Bearer realm="https://accounts.google.com/", error="invalid_token"'
            )
        self.answer = Answer([msgspec.json.encode({"error": error})], status, headers=headers)


class OAuthProblem(Refused):
    """Ends an OAuth exchange with `{"error", "error_description"}` (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(status, description)
        body = {"error": error, "error_description": description}
        self.answer = Answer([msgspec.json.encode(body)], status)


def not_found(domain: str = "global") -> Problem:
    """What has never been there or no longer is."""
    message = "Not Found" if domain == "calendar" else "Requested entity was not found."
    return Problem(404, "notFound", message)


def bad_parameter(name: str, message: str) -> Problem:
    """A query parameter that cannot be used."""
    return Problem(400, "invalid", message, location=name, locationType="parameter")


def unauthenticated() -> Problem:
    """No token, an unknown one, or one that has expired."""
    message = "Request had invalid authentication credentials."
    where = {"location": "Authorization", "locationType": "header"}
    return Problem(401, "authError", message, **where)


def too_little_scope() -> Problem:
    """A token that is good, but not for this."""
    message = "Request had insufficient authentication scopes."
    return Problem(403, "insufficientPermissions", message)


def over_budget(status: int, reason: str, who: str, until: float) -> Problem:
    """Too much in a minute. The time to wait for is in the text alone, as with Gmail."""
    message = f"{who} limit exceeded.  Retry after {rfc3339(until)}"
    return Problem(status, reason, message, "usageLimits")
