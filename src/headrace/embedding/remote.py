"""Embeddings of any endpoint that speaks OpenAI's `POST {base_url}/embeddings`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec
import numpy as np
from yarl import URL

from headrace.embedding.answers import read_vectors, refusal
from headrace.errors import BadInput, NeedsHuman
from headrace.http import Answer, Client, Policy
from headrace.text import clean_text

MAX_TEXTS = 256
"""Texts of one request."""
MAX_CHARACTERS = 200_000
"""Characters of one request; a longer text goes alone."""

_BASE_URL = "https://api.openai.com/v1"
_MODEL = "text-embedding-3-small"

# What these mean the client knows; every other 4xx is about what was asked.
_CLIENTS_OWN = frozenset({408, 429})
_REFUSED = frozenset(range(400, 500)) - _CLIENTS_OWN


class RemoteEmbedder:
    """Asks one endpoint, in requests of bounded size, one after another.

    The dimensions are those that were asked for, else those of the first answer.
    """

    def __init__(
        self,
        *,
        model: str | None,
        base_url: str | None,
        key: str | None,
        dimensions: int | None,
        private_hosts: bool,
    ) -> None:
        if dimensions is not None and dimensions < 1:
            raise BadInput(
                f"Vectors cannot have {dimensions} dimensions.",
                hint="Leave dimensions out to take the model's own.",
            )
        key = key.strip() if key else None
        if key and not (key.isascii() and key.isprintable()):
            raise BadInput(
                "The embedder's key holds signs that no key has.",
                hint="Copy it again, without line breaks and quotes.",
            )
        self._name = model or _MODEL
        self._base_url = base_url or _BASE_URL
        self._key = key
        self._wanted = dimensions
        self._dimensions = dimensions
        self._policy = Policy(private_hosts=private_hosts)
        # Somebody waits for the answer to a question.
        self._hurried = Policy(private_hosts=private_hosts, retries=1, timeout=10.0)
        try:
            client = self._client(self._policy)
        except NeedsHuman as error:  # it is this setting, not an account, that has to change
            raise BadInput(error.message, hint=error.hint) from None
        self.model = f"openai/{client.host}/{self._name}"
        if URL(self._base_url).explicit_port:
            self.model = f"openai/{client.host}:{client.base.port}/{self._name}"
        if dimensions is not None:
            self.model += f"/{dimensions}"

    @property
    def dimensions(self) -> int:
        """See `Embedder.dimensions`: where nobody knows yet, a word is sent to find out."""
        if self._dimensions is None:
            self.embed(["dimensions"])
        assert self._dimensions is not None
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.embed`. Must not be called in a thread that runs an event loop."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        return asyncio.run(self._embed([clean_text(text) for text in texts], self._policy))

    def embed_query(self, text: str) -> np.ndarray:
        """See `Embedder.embed_query`: the protocol makes no difference between text and query."""
        vector: np.ndarray = asyncio.run(self._embed([clean_text(text)], self._hurried))[0]
        return vector

    def _client(self, policy: Policy) -> Client:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return Client(self._base_url, headers=headers, policy=policy)

    async def _embed(self, texts: list[str], policy: Policy) -> np.ndarray:
        client = self._client(
            policy
        )  # connections belong to one event loop, and this one ends soon
        try:
            return np.concatenate([await self._ask(client, some) for some in batches(texts)])
        finally:
            await client.aclose()

    async def _ask(self, client: Client, texts: list[str]) -> np.ndarray:
        wanted = {} if self._wanted is None else {"dimensions": self._wanted}
        body = {"model": self._name, "input": texts, "encoding_format": "float", **wanted}
        vectors = await client.ask(
            "POST",
            "embeddings",
            json=msgspec.json.encode(body),
            allow=_REFUSED,
            parse=partial(self._read, client, len(texts)),
        )
        self._dimensions = vectors.shape[1]
        return vectors

    def _read(self, client: Client, count: int, answer: Answer) -> np.ndarray:
        if answer.status in _REFUSED:
            raise refusal(answer, client)
        return read_vectors(answer, count, self._dimensions)


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, as many at a time as one request may carry."""
    batch: list[str] = []
    room = MAX_CHARACTERS
    for text in texts:
        if batch and (len(batch) == MAX_TEXTS or len(text) > room):
            yield batch
            batch, room = [], MAX_CHARACTERS
        batch.append(text)
        room -= len(text)
    yield batch
