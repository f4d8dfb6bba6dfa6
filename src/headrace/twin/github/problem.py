"""A refusal in GitHub's words: `{"message", "documentation_url", "status"}`."""

from __future__ import annotations

import msgspec

from headrace.twin.message import Answer, Refused

_DOCUMENTATION = "https://docs.github.com/rest"


class Problem(Refused):
    """Ends an exchange with an error body of GitHub's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(status, message)
        body = {"message": message, "documentation_url": _DOCUMENTATION, "status": str(status)}
        self.answer = Answer([msgspec.json.encode(body | more)], status, headers=headers or {})


def not_found() -> Problem:
    """Also for what exists and may not be seen: GitHub does not tell the two apart."""
    return Problem(404, "Not Found")


def forbidden(message: str) -> Problem:
    """For what may be seen, but not like this."""
    return Problem(403, message)


def unprocessable(field: str, problem: str) -> Problem:
    """For a parameter that means nothing."""
    error = {"resource": "Query", "field": field, "code": "invalid", "message": problem}
    return Problem(422, f"Validation Failed: {field} {problem}.", errors=[error])


def moved(location: str) -> Problem:
    """For what has another address now."""
    return Problem(301, "Moved Permanently", headers={"Location": location}, url=location)
