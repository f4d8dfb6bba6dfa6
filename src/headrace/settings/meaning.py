"""The settings of embedding, of a memory engine, and of insights."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from headrace.errors import BadInput


class Meaning(BaseSettings):
    """What finds by meaning, what remembers, and what writes."""

    headrace_embedding_url: str | None = Field(
        None, description="OpenAI-compatible endpoint for embeddings; the key goes nowhere else."
    )
    headrace_embedding_key: SecretStr | None = Field(
        None, description="Key for HEADRACE_EMBEDDING_URL."
    )
    headrace_embed_interactions: Literal["people", "all", "none"] = Field(
        "people",
        description="Which messages are found by meaning: what people write, all but drafts and"
        " spam, or none. Automated mail is found by its words in any case.",
    )
    memory_engine_url: str | None = Field(
        None,
        description="Memory engine that messages and meetings are sent to. Unset: Headrace's own"
        " search is the memory.",
    )
    memory_engine_key: SecretStr | None = Field(None, description="Key for MEMORY_ENGINE_URL.")
    memory_engine_shape: str = Field(
        "headrace",
        description="How that engine wants to be told: headrace, mem0, graphiti, letta, honcho,"
        " zep, supermemory, or a YAML file of your own.",
    )
    memory_engine_space: str = Field(
        "{tenant}:{user}",
        description="What that engine calls the owner of memories; for Letta, an agent's id.",
    )
    memory_engine_from: Literal["people", "all"] = Field(
        "people", description="Whether what programs and lists send is remembered as well."
    )
    headrace_insights: str = Field(
        "",
        description="Kinds of insights that are made by themselves, with commas between them, or"
        " `all`: when something new was brought in, the weekly digest on Mondays. Empty: none.",
    )
    headrace_llm_url: str | None = Field(
        None,
        description="OpenAI-compatible endpoint that writes insights, to which what people wrote is"
        " sent: http://127.0.0.1:8080/v1. Unset: rules make them, and nothing is sent anywhere.",
    )
    headrace_llm_model: str | None = Field(None, description="Model to ask there.")
    headrace_llm_key: SecretStr | None = Field(None, description="Key for HEADRACE_LLM_URL.")
    headrace_llm_budget: int = Field(
        200_000,
        ge=0,
        description="Tokens that a tenant may use there on a day (UTC). Over it, rules do.",
    )

    def insight_kinds(self, known: Iterable[str]) -> list[str]:
        """The kinds that HEADRACE_INSIGHTS names, of those that are known. Raises BadInput."""
        named = [one for part in self.headrace_insights.split(",") if (one := part.strip())]
        known = sorted(known)
        if named == ["all"]:
            return known
        for one in named:
            if one not in known:
                near = difflib.get_close_matches(one, known, n=1)
                raise BadInput(
                    f"HEADRACE_INSIGHTS names {one!r}, which is no kind of insight.",
                    hint=f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}.",
                )
        return sorted(set(named))
