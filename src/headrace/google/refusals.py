"""Why Google refuses a request: its body names a reason, and one status stands for many (G10)."""

from __future__ import annotations

import msgspec

from headrace.errors import HeadraceError, NeedsHuman, Retry
from headrace.http import Answer
from headrace.http.answers import explanation

_TOO_LITTLE = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
_NOT_ENABLED = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})


class _Detail(msgspec.Struct):
    reason: str = ""


class _Error(msgspec.Struct):
    errors: list[_Detail] = []
    details: list[_Detail] = []


class _Refusal(msgspec.Struct):
    error: _Error


def reasons(answer: Answer) -> frozenset[str]:
    """The reasons that Google gives, none where the body is not in its shape."""
    try:
        error = msgspec.json.decode(answer.body, type=_Refusal).error
    except (msgspec.DecodeError, RecursionError):
        return frozenset()
    return frozenset(one.reason for one in (*error.errors, *error.details))


def explain(answer: Answer, title: str, box: str) -> HeadraceError | None:
    """The error of a refusal of `title` whose cure is known; None for all others.

    `box` is what the owner has to tick when Google asks for consent (rule O7).
    """
    given = reasons(answer) if answer.status in {400, 403} else frozenset()
    if given & _TOO_LITTLE:
        return NeedsHuman(
            f"{title} was not allowed when the account was connected.",
            hint=f"Connect the account again, and tick the box {box}.",
            reauth=True,
        )
    if "domainPolicy" in given:
        return NeedsHuman(
            f"The administrators of the account's domain do not let apps use {title}.",
            hint="Ask them to allow Headrace's OAuth client, then sync again.",
        )
    if given & _NOT_ENABLED:
        return NeedsHuman(
            f"The project of Headrace's OAuth client may not use {title}'s API.",
            hint=f"Enable the API of {title} for the project in Google's console.",
        )
    if "failedPrecondition" in given:
        return Retry(
            f"{title} is not ready for this account{explanation(answer.body)}.",
            hint="If it stays like this, the account has none.",
        )
    return None


def is_gone(answer: Answer) -> bool:
    """Whether it is Google itself that says that there is no such thing: a 404 by whatever stands
    in between deletes nothing."""
    return answer.status == 404 and "notFound" in reasons(answer)
