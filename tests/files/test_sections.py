"""What a job's configuration may choose from is what there is."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from headrace import chunking, documents, embedding
from headrace.files.config import DocumentsConfig
from headrace.files.sections import STRATEGIES, Maker


def test_the_choices_are_those_of_the_code() -> None:
    """The names stand in two places, which may not import one another."""
    assert chunking.strategies() == STRATEGIES
    assert embedding.providers() == Maker.__origin__.__args__  # type: ignore[attr-defined]
    for tool in ("auto", *documents.TOOLS):
        assert DocumentsConfig(input=["a"], parser={"tool": tool}).parser.tool == tool


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"chunker": {"chunk_strategy": "recursive"}}, "did you mean recursive_chunking"),
        ({"parser": {"tool": "pdfium"}}, "did you mean pypdfium2"),
        ({"embedder": {"provider": "openia"}}, "did you mean openai"),
        ({"embedder": {"provider": "cohere"}}, "known are local, openai"),
    ],
)
def test_another_is_refused_with_the_nearest(section: dict[str, object], said: str) -> None:
    """Covers A4.3: at the door, not by a stage that fails an hour later."""
    with pytest.raises(ValidationError, match=said):
        DocumentsConfig.model_validate({"input": ["a"], **section})
