"""Fault rules that name a call: what goes wrong there, in the words of `headrace.twin.faults`.

    [{"call": "issues.list", "on": {"request": 3}, "do": {"kind": "answer", "status": 502}},
     {"call": "commits.list", "do": {"kind": "headers", "set": {"Link": "<http://elsewhere/>"}}}]

Without a `call` a rule bears on every call of the API. It counts the requests that it bears on.
`offset` has no meaning here: such a rule never fires.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headrace.twin.faults import AnswerWith, Delay, Drip, Hang, On, Reset, Rule, Truncate
from headrace.twin.github.problem import Problem
from headrace.twin.message import HTML_TYPE, Answer
from headrace.twin.script import Script


class Headers(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="headers"
):
    """The true answer, with other headers. An empty value takes a header away."""

    set: dict[str, str] = {}


CallFault = AnswerWith | Delay | Hang | Reset | Truncate | Drip | Headers


class CallRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that goes wrong, in which call, and when."""

    do: CallFault
    call: str = ""
    on: On = On()


class CallScript:
    """Rules with what each must remember."""

    def __init__(self, rules: Sequence[CallRule], seed: int) -> None:
        # Whether a rule's turn has come is asked of a script that holds nothing else.
        self._rules = [(rule, Script([Rule(Delay(0), rule.on)], seed)) for rule in rules]

    def next(self, call: str) -> list[CallFault]:
        """The faults of the next request, which makes this call."""
        return [
            rule.do for rule, turn in self._rules if rule.call in ("", call) and turn.next(range(0))
        ]


def scripted(fault: AnswerWith) -> Answer:
    """The answer a rule gives in place of the true one."""
    headers = dict(fault.headers)
    if fault.text is not msgspec.UNSET:
        return Answer([fault.text.encode()], fault.status, HTML_TYPE, headers)
    if fault.json is not msgspec.UNSET:
        return Answer([msgspec.json.encode(fault.json)], fault.status, headers=headers)
    if fault.status in (204, 304):  # these have no body, and a client would not read one
        return Answer([], fault.status, headers=headers)
    return Problem(fault.status, "A fault rule says so.", headers=headers).answer


def adorn(answer: Answer, faults: Sequence[CallFault]) -> None:
    """Give the answer the headers that rules want."""
    for fault in faults:
        if isinstance(fault, Headers):
            merged = {**answer.headers, **fault.set}
            answer.headers = {name: value for name, value in merged.items() if value}
