"""Which tool reads which type."""

from __future__ import annotations

import difflib

from headrace.documents import kinds
from headrace.errors import BadInput

TOOLS = ("pypdfium2", "kreuzberg", "text")
"""The names that `ParserOptions.tool` takes, besides "auto"."""


def check_tool(name: str) -> None:
    """Raises BadInput for a tool that is not known here, with the nearest that is."""
    if name == "auto" or name in TOOLS:
        return
    near = difflib.get_close_matches(name, ("auto", *TOOLS), 1)
    raise BadInput(
        f"There is no parser called {name!r}.",
        hint=f"Did you mean {near[0]}?" if near else f"Choose auto, {', '.join(TOOLS)}.",
    )


def tool_for(media_type: str, wanted: str) -> str:
    """The tool that reads a type. Raises BadInput when the wanted one cannot."""
    able = _able(media_type)
    if wanted == "auto":
        return able[0]
    if wanted not in able:
        raise BadInput(
            f"The parser {wanted} does not read {media_type}.",
            hint=f"Choose auto or {' or '.join(able)} for it.",
        )
    return wanted


def _able(media_type: str) -> tuple[str, ...]:
    """The tools for a type, the best first."""
    if media_type == kinds.PDF:
        return ("pypdfium2", "kreuzberg")
    if media_type in (kinds.HTML, kinds.MAIL):
        return ("text", "kreuzberg")
    if media_type in kinds.OFFICE or media_type == kinds.NOTEBOOK:
        return ("kreuzberg",)
    if media_type.startswith("image/"):
        return ("kreuzberg",)
    return ("text",)
