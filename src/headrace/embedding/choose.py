"""Which embedder a configuration means; each is made once in a process."""

from __future__ import annotations

import difflib
import threading
from pathlib import Path

from headrace.embedding.contract import Embedder
from headrace.errors import BadInput

_PROVIDERS = ("local", "openai")
_made: dict[tuple[object, ...], Embedder] = {}
_making = threading.Lock()


def providers() -> tuple[str, ...]:
    """The names that `embedder` knows."""
    return _PROVIDERS


def embedder(
    provider: str = "local",
    *,
    model: str | None = None,
    base_url: str | None = None,
    key: str | None = None,
    dimensions: int | None = None,
    private_hosts: bool = False,
    home: Path,
) -> Embedder:
    """The embedder of this configuration, the same object each time it is asked for.

    `local` works from weights on this machine, in a form kept below `home`. `openai` is whatever
    speaks OpenAI's `POST {base_url}/embeddings`; `private_hosts` allows http and addresses that
    are not public, such as a server on this machine. Raises BadInput for a setting that does not
    fit, NeedsHuman when the local model is not installed.
    """
    if provider not in _PROVIDERS:
        near = difflib.get_close_matches(provider, _PROVIDERS, n=1)
        raise BadInput(
            f"There is no provider of embeddings called {provider!r}.",
            hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(_PROVIDERS)}.",
        )
    settings = (provider, model, base_url, key, dimensions, private_hosts, home)
    with _making:
        if settings not in _made:
            if provider == "local":
                from headrace.embedding import local  # slow to import; most processes never need it

                _made[settings] = local.open_model(home, model, base_url, dimensions)
            else:
                from headrace.embedding import remote

                _made[settings] = remote.RemoteEmbedder(
                    model=model,
                    base_url=base_url,
                    key=key,
                    dimensions=dimensions,
                    private_hosts=private_hosts,
                )
        return _made[settings]
