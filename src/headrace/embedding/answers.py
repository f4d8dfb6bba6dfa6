"""What an endpoint for embeddings answered: vectors fit to be stored, or an error."""

from __future__ import annotations

import msgspec
import numpy as np

from headrace.errors import BadInput, HeadraceError, NeedsHuman
from headrace.http import Answer, Client, Nonsense, require_json
from headrace.http.answers import explanation, is_rate_limit

_HINT = "Check base_url and model: the endpoint may not speak OpenAI's embeddings as it should."


class _One(msgspec.Struct):
    embedding: list[float]
    index: int


class _Body(msgspec.Struct):
    data: list[_One]


_BODY = msgspec.json.Decoder(_Body)


def read_vectors(answer: Answer, count: int, dimensions: int | None) -> np.ndarray:
    """The vectors in the order of the texts: float32 of shape (count, dimensions), length 1.

    Raises Nonsense for what is not JSON, another number of vectors, and vectors that cannot be
    compared; NeedsHuman when they are not of these dimensions (None: any).
    """
    require_json(answer)
    host = answer.host
    try:
        found = _BODY.decode(answer.body).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Nonsense(
            f"{host} answered with something else than embeddings.", hint=_HINT
        ) from None
    if sorted(one.index for one in found) != list(range(count)):
        raise Nonsense(
            f"{host} was sent {count} texts and returned {len(found)} embeddings that do not match"
            " them one to one.",
            hint=_HINT,
        )
    found.sort(key=lambda one: one.index)
    lengths = {len(one.embedding) for one in found}
    if len(lengths) > 1 or 0 in lengths:
        raise Nonsense(f"{host} returned embeddings of different lengths.", hint=_HINT)
    length = lengths.pop()
    if dimensions not in {None, length}:
        raise NeedsHuman(
            f"{host} returned embeddings of {length} dimensions instead of {dimensions}.",
            hint="Set dimensions to what the model makes, and embed everything again.",
        )
    vectors = np.array([one.embedding for one in found], np.float64)
    with np.errstate(over="ignore"):  # it shows as a length that is not finite
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or not (norms > 0).all():
        raise Nonsense(f"{host} returned an embedding that is zero or not finite.", hint=_HINT)
    unit: np.ndarray = (vectors / norms).astype(np.float32)
    return unit


def refusal(answer: Answer, client: Client) -> HeadraceError:
    """What a 4xx of this endpoint means. The client blots its key out of what they said."""
    if is_rate_limit(answer):
        return client.error(answer)
    said = explanation(answer.body, client.secrets)
    if answer.status in {401, 403}:
        return NeedsHuman(
            f"{answer.host} refused the embedder's key ({answer.status}){said}.",
            hint="Give the embedder a key that is valid for this base_url and model.",
        )
    return BadInput(
        f"{answer.host} refused to embed ({answer.status}){said}.",
        hint="Check the embedder's base_url, model and dimensions.",
    )
