"""Where a stand-in's answers are not what Google's and GitHub's own descriptions say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tests.stand_ins.emulate import Said
from tests.twin.github.checker import problems_of_answer
from tests.twin.google.discovery import SERVED
from tests.twin.google.shapes import wrong_in

from headrace.twin.github.routes import find as github_call
from headrace.twin.google.routes import find as google_call

_PLACE = re.compile(r"\[\d+\]")
_VALUE = re.compile(r" is '.*")


def deviations(said: Iterable[Said]) -> set[str]:
    """What is wrong with these answers, each thing once: whatever the value, wherever in a list."""
    wrong = (line for one in said if one.status < 300 for line in _wrong(one))
    return {_VALUE.sub(" has another form", _PLACE.sub("[]", line)) for line in wrong}


def _wrong(one: Said) -> Iterator[str]:
    found = github_call(one.method, one.path)
    if found is not None:
        yield from problems_of_answer(found.route.name, one.status, one.body)
        return
    if one.method == "GET" and one.body is not None:
        name = google_call("GET", one.path).name
        for api, served in SERVED.items():
            if name in served:
                yield from (f"{name} {line}" for line in wrong_in(api, name, one.body))
