"""Fault rules as they bear on Google's APIs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from headrace.twin import faults
from headrace.twin.google.problem import OAuthProblem, Problem
from headrace.twin.message import Answer, Refused
from headrace.twin.scripted import scripted

_IN_PAGE = faults.Shuffle | faults.Repeat | faults.Drift
_ITEMS = ("messages", "history", "drafts", "labels", "items")
_REASONS = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    410: "fullSyncRequired",
    429: "rateLimitExceeded",
}


def check_rules(rules: Sequence[faults.Rule], calls: frozenset[str]) -> None:
    """Raises Refused (400) for rules that could never fire here, or would do nothing."""
    for rule in rules:
        if unknown := set(rule.on.calls) - calls:
            raise Refused(400, f"There is no call {min(unknown)}: there are {sorted(calls)}.")
        if rule.on.offset is not None:
            raise Refused(400, "offset is of the DataSync twin only.")
        is_page = isinstance(rule.do, faults.Repeat) and rule.do.what == "page"
        if is_page or (isinstance(rule.do, faults.InPage) and not isinstance(rule.do, _IN_PAGE)):
            raise Refused(400, f"The fault {faults.kind(rule.do)} is of the DataSync twin only.")


def answer_instead(fault: faults.AnswerWith, *, oauth: bool) -> Answer:
    """What the rule says; where it names a status only, the error that Google gives with it."""
    says = fault.json is not msgspec.UNSET or fault.text is not msgspec.UNSET
    if says or fault.status < 400:
        return scripted(fault)
    text = "A fault rule says so."
    if oauth:
        answer = OAuthProblem("internal_failure", text, fault.status).answer
    else:
        answer = Problem(fault.status, _REASONS.get(fault.status, "backendError"), text).answer
    answer.headers.update(fault.headers)
    return answer


def distort(body: dict[str, Any], wrong: Sequence[faults.Fault]) -> dict[str, Any]:
    """The answer with its items as the rules have made them; an answer without is one item."""
    for fault in wrong:
        name = next((one for one in _ITEMS if isinstance(body.get(one), list)), None)
        items = body[name] if name else [body]
        match fault:
            case faults.Shuffle():
                items = list(items)
                Random(len(items)).shuffle(items)  # noqa: S311 - repeatable is the point
            case faults.Repeat("rows"):
                items = [item for item in items for _ in range(2)]
            case faults.Drift(changes, drop, every):
                items = [
                    item if at % every else _drifted(item, changes, drop)
                    for at, item in enumerate(items)
                ]
        body = {**body, name: items} if name else items[0]
    return body


def _drifted(item: Any, changes: dict[str, Any], drop: Sequence[str]) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: value for name, value in {**item, **changes}.items() if name not in drop}
