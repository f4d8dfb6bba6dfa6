"""Where a request goes, and which of its words nobody may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from yarl import URL

from headrace.errors import NeedsHuman
from headrace.http import guard


def target(base: URL, url: str, params: Mapping[str, str]) -> URL:
    """The URL to ask: a path below `base`, or an absolute one of its origin. Raises NeedsHuman for
    any other."""
    if "://" in url[:12] or url.startswith("//"):
        try:
            # As the server wrote it: quoting a cursor anew could change it (H3).
            found = URL(url, encoded=url.isascii() and url.isprintable() and " " not in url)
            if not found.host:
                raise ValueError("no host")
            found = base.join(found)
            guard.check_origin(found, base)
        except ValueError:
            raise NeedsHuman(
                f"{base.host} named a next address that is not a URL.",
                hint="Report it to whoever runs the source, or page it another way.",
            ) from None
    else:
        path, _, query = url.partition("?")
        found = base.with_path(f"{base.path.rstrip('/')}/{path.lstrip('/')}")
        if query:
            found = found.with_query(query)
    return found.update_query(params) if params else found


def secret_words(given: Iterable[str]) -> tuple[str, ...]:
    """Each value, and what follows the scheme in `Bearer ...`; short words are no secrets."""
    values = list(given)
    values += [value.partition(" ")[2] for value in values]
    return tuple(sorted({v for v in values if len(v) >= 6}, key=len, reverse=True))
