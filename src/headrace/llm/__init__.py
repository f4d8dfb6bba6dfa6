"""Language models, behind an endpoint that speaks OpenAI's chat completions."""

from headrace.llm.chat import Answered, Chat, estimate, open_chat

__all__ = ["Answered", "Chat", "estimate", "open_chat"]
