"""Runs a list of fault rules against the requests as they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from headrace.twin.faults import Fault, On, Rule


class Script:
    """Rules with the little they must remember: requests seen, and how often each has fired."""

    def __init__(self, rules: Sequence[Rule], seed: int) -> None:
        self._rules = rules
        self._fired = [0] * len(rules)
        self._requests: Counter[str] = Counter()
        # One stream for all rules: the same requests in the same order meet the same faults.
        self._random = Random(seed)  # noqa: S311 - repeatable is the point

    def next(self, page: range, call: str = "") -> list[Fault]:
        """The faults of the next request. `page` is the events it asks for, empty if unknown.

        `call` is the method it is for, in an API that has several.
        """
        self._requests[call] += 1
        faults = []
        for place, rule in enumerate(self._rules):
            exhausted = rule.on.times is not None and self._fired[place] >= rule.on.times
            if not exhausted and self._applies(rule.on, page, call):
                self._fired[place] += 1
                faults.append(rule.do)
        return faults

    def _applies(self, on: On, page: range, call: str) -> bool:
        if on.calls and call not in on.calls:
            return False
        number = sum(self._requests[one] for one in on.calls or self._requests)
        if on.request is not None:
            wanted = (on.request,) if isinstance(on.request, int) else on.request
            if number not in wanted:
                return False
        if on.every is not None and number % on.every:
            return False
        if on.offset is not None and on.offset not in page:
            return False
        return on.probability is None or self._random.random() < on.probability
