"""Answers of any endpoint that speaks OpenAI's `POST {base_url}/chat/completions`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from headrace.errors import BadInput, HeadraceError, NeedsHuman
from headrace.http import Answer, Client, Nonsense, Policy, require_json
from headrace.http.answers import explanation, is_rate_limit
from headrace.settings import Settings
from headrace.text import clean_text

TIMEOUT = 120.0
"""Seconds an answer may take."""
ANSWER_TOKENS = 1500
"""Tokens that an answer is reckoned to need before it is there."""
_CHARACTERS_A_TOKEN = 3
"""Less than the four of English prose: an estimate had better be too high."""

# What these mean the client knows; every other 4xx is about what was asked.
_CLIENTS_OWN = frozenset({408, 429})
_REFUSED = frozenset(range(400, 500)) - _CLIENTS_OWN
_HINT = "Check HEADRACE_LLM_URL: the endpoint may not speak OpenAI's chat completions as it should."


class Answered(msgspec.Struct):
    """What a model said, and the tokens that it took; None where the endpoint does not tell."""

    text: str
    tokens: int | None


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Usage(msgspec.Struct):
    total_tokens: int | None = None


class _Body(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


_BODY = msgspec.json.Decoder(_Body)


def open_chat(settings: Settings) -> Chat | None:
    """The model of the settings; None where there is to be none. Raises BadInput."""
    if settings.headrace_llm_url is None:
        return None
    if not settings.headrace_llm_model:
        raise BadInput(
            "HEADRACE_LLM_URL is set, and HEADRACE_LLM_MODEL is not.",
            hint="Set it to a model that the endpoint knows.",
        )
    key = settings.headrace_llm_key
    return Chat(
        settings.headrace_llm_url,
        settings.headrace_llm_model,
        key.get_secret_value() if key else None,
    )


class Chat:
    """Asks one model at one endpoint, one question at a time. The address is the operator's own, so
    it may be on this machine."""

    def __init__(self, base_url: str, model: str, key: str | None) -> None:
        key = key.strip() if key else None
        if key and not (key.isascii() and key.isprintable()):
            raise BadInput(
                "HEADRACE_LLM_KEY holds signs that no key has.",
                hint="Copy it again, without line breaks and quotes.",
            )
        self._base_url = base_url
        self._name = model
        self._key = key
        try:
            client = self._client()
        except NeedsHuman as error:  # it is this setting, not an account, that has to change
            said = f"HEADRACE_LLM_URL cannot be used. {error.message}"
            raise BadInput(said, hint=error.hint) from None
        port = f":{client.base.port}" if client.base.explicit_port else ""
        self.model = f"openai/{client.host}{port}/{model}"

    def ask(
        self, messages: Sequence[dict[str, str]], name: str, schema: dict[str, Any]
    ) -> Answered:
        """The answer, which ought to be a JSON document of this schema and may be anything.

        Must not be called in a thread that runs an event loop. Raises Retry where the endpoint is
        busy or does not answer, and BadInput where it refuses the question or the key.
        """
        body = {
            "model": self._name,
            "messages": [{**one, "content": clean_text(one["content"])} for one in messages],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": name, "strict": True, "schema": schema},
            },
        }
        return asyncio.run(self._ask(msgspec.json.encode(body)))

    def _client(self) -> Client:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        # A request costs money: it is not sent again and again.
        policy = Policy(
            private_hosts=True,
            retries=1,
            timeout=TIMEOUT,
            max_body=1024 * 1024,
            address="HEADRACE_LLM_URL",
        )
        return Client(self._base_url, headers=headers, policy=policy)

    async def _ask(self, body: bytes) -> Answered:
        client = self._client()  # connections belong to one event loop, and this one ends soon
        try:
            return await client.ask(
                "POST",
                "chat/completions",
                json=body,
                allow=_REFUSED,
                parse=partial(_read, client),
            )
        finally:
            await client.aclose()


def estimate(messages: Sequence[dict[str, str]]) -> int:
    """Tokens that a question and its answer are reckoned to take; rather too many."""
    asked = sum(len(one["content"].encode("utf-8", "replace")) for one in messages)
    return asked // _CHARACTERS_A_TOKEN + ANSWER_TOKENS


def _read(client: Client, answer: Answer) -> Answered:
    if answer.status in _REFUSED:
        raise _refusal(answer, client)
    require_json(answer)
    try:
        body = _BODY.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = _Body([])
    if not body.choices:
        raise Nonsense(f"{answer.host} answered with something else than a completion.", hint=_HINT)
    said = body.choices[0].message
    tokens = body.usage.total_tokens if body.usage else None
    return Answered(said.content or said.refusal or "", tokens)


def _refusal(answer: Answer, client: Client) -> HeadraceError:
    """What a 4xx of this endpoint means. The client blots its key out of what they said."""
    if is_rate_limit(answer):
        return client.error(answer)
    said = explanation(answer.body, client.secrets)
    if answer.status in {401, 403}:
        return BadInput(
            f"{answer.host} refused HEADRACE_LLM_KEY ({answer.status}){said}.",
            hint="Give it a key that is valid for this endpoint and model.",
        )
    return BadInput(
        f"{answer.host} refused the question ({answer.status}){said}.",
        hint="Check HEADRACE_LLM_URL and HEADRACE_LLM_MODEL; the model has to know response_format"
        " with a json_schema.",
    )
