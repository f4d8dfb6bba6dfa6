"""The answer that a fault rule gives in place of the twin's own."""

from __future__ import annotations

import msgspec

from headrace.twin.faults import AnswerWith
from headrace.twin.message import HTML_TYPE, Answer, Refused


def scripted(fault: AnswerWith) -> Answer:
    """What the rule says; where it names a status only, an error body that fits it."""
    if fault.text is not msgspec.UNSET:
        return Answer([fault.text.encode()], fault.status, HTML_TYPE, dict(fault.headers))
    if fault.json is not msgspec.UNSET:
        return Answer([msgspec.json.encode(fault.json)], fault.status, headers=dict(fault.headers))
    if fault.status in (204, 304):  # these have no body, and a client would not read one
        return Answer([], fault.status, headers=dict(fault.headers))
    return Refused(fault.status, "A fault rule says so.", headers=dict(fault.headers)).answer
