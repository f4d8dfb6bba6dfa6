"""Putting an insight to the language model: within the budget, once for each input, mended once.

Whatever goes wrong with the model, an insight is made: by rules, with a note that says why.
"""

from __future__ import annotations

from datetime import date

import msgspec

from headrace.errors import HeadraceError, Retry
from headrace.insight import Gathered, Kind, Refused, Told, quotes, read_told
from headrace.llm import Answered, Chat, estimate, open_chat
from headrace.prompt import SCHEMA, Message, messages, repaired
from headrace.settings import Settings
from headrace.store.database import Connection
from headrace.store.insights import Input, correct, known, spend
from headrace.text import clean_text, one_line

_ATTEMPTS = 2
_LONGEST_ANSWER = 20_000
_MOST_TOKENS = 10_000_000
"""What an endpoint says that one answer took is believed up to this."""


class Said(msgspec.Struct):
    """What the `model` has `told`. Without that, rules are to do: `note` says why, and `asked`
    names the model if it will not be asked about this again."""

    told: Told | None = None
    model: str | None = None
    asked: str | None = None
    note: str | None = None
    tokens: int = 0


class _Without(Exception):
    """Why there is no answer."""


class Asking:
    """Asks the model of the settings on behalf of one user. `patient` says that a busy one is
    waited for: then Retry is raised."""

    def __init__(
        self, connection: Connection, settings: Settings, tenant: str, user: str, *, patient: bool
    ) -> None:
        self._connection = connection
        self._tenant, self._user = tenant, user
        self._budget = settings.headrace_llm_budget
        self._patient = patient
        self._chat: Chat | None = None
        self._why: str | None = None
        self._tokens = 0
        try:
            self._chat = open_chat(settings)
        except HeadraceError as error:
            self._why = _words(error)

    def ask(self, kind: Kind, gathered: Gathered, given: Input) -> Said | None:
        """What is said of a subject; None where the model was asked about the same before."""
        if self._chat is None:
            return Said(note=self._why)
        if known(self._connection, given, self._chat.model):
            return None
        self._tokens = 0
        try:
            said = self._asked(self._chat, kind, gathered)
        except _Without as why:
            said = Said(note=clean_text(str(why)))
        said.tokens = self._tokens
        return said

    def _asked(self, chat: Chat, kind: Kind, gathered: Gathered) -> Said:
        question = messages(kind, gathered)
        reason = ""
        for _ in range(_ATTEMPTS):
            answered = self._put(chat, kind, question)
            try:
                told = read_told(answered.text)
                quotes(told, gathered.given)
            except Refused as refused:
                reason = str(refused)
                question = repaired(question, answered.text[:_LONGEST_ANSWER], reason)
            else:
                return Said(told, chat.model)
        note = f"{chat.model} was asked twice, and its answers cannot be used. {reason}"
        return Said(asked=chat.model, note=clean_text(note))

    def _put(self, chat: Chat, kind: Kind, question: list[Message]) -> Answered:
        """One request. Raises _Without where there is to be none, or no answer came."""
        if self._why is not None:
            raise _Without(self._why)
        promised = estimate(question)
        day = spend(self._connection, self._tenant, self._user, promised, self._budget)
        if day is None:
            raise _Without(
                f"HEADRACE_LLM_BUDGET is used up for today: {self._budget:,} tokens of a tenant."
            )
        try:
            answered = chat.ask(question, kind.name, SCHEMA)
        except Retry as busy:
            # One that named a wait has refused; of any other nobody knows what it has done.
            self._count(day, promised, promised if busy.after is None else 0)
            if self._patient:
                raise
            self._why = _words(busy)
            raise _Without(self._why) from None
        except HeadraceError as error:
            self._count(day, promised, 0)
            self._why = _words(error)
            raise _Without(self._why) from None
        took = promised if answered.tokens is None else answered.tokens
        self._count(day, promised, min(max(took, 0), _MOST_TOKENS))
        return answered

    def _count(self, day: date, promised: int, took: int) -> None:
        self._tokens += took
        if took != promised:
            correct(self._connection, self._tenant, day, took - promised)


def _words(error: HeadraceError) -> str:
    return one_line(clean_text(str(error)), 500)
