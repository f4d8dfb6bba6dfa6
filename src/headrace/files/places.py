"""From what a person names to the place it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from headrace.errors import BadInput
from headrace.files.bucket import SCHEME, Store, client
from headrace.files.bucket import split as split_bucket
from headrace.files.local import LocalFiles
from headrace.files.pattern import WILD, Selection
from headrace.files.place import Place
from headrace.files.uploads import SCHEME as UPLOADS
from headrace.files.uploads import check_named
from headrace.files.web import client as web_client
from headrace.files.web import is_web


def open_place(
    named: str,
    wanted: frozenset[str],
    roots: Sequence[Path] | None,
    exclude: Sequence[str] = (),
) -> Place:
    """The place of this machine called `named`: a path or a pattern. `wanted` are the endings of
    documents, `roots` the folders that it must lie in (None: anywhere, for the operator). Raises
    BadInput."""
    root, pattern = split(named)
    if roots is not None and not any(root.is_relative_to(one.resolve()) for one in roots):
        raise BadInput(
            f"{named} is not in a folder that may be named here.",
            hint="The operator opens folders to callers by HEADRACE_DOCUMENT_ROOTS.",
        )
    return LocalFiles(root, Selection(pattern, wanted, exclude))


def split(named: str) -> tuple[Path, str | None]:
    """The folder or file, resolved, and the pattern below it, if there is one. Raises BadInput."""
    if "\0" in named or not named.strip():
        raise BadInput("An input is empty or has a NUL character in it.", hint="Name a path.")
    if named.encode(errors="replace").decode() != named:
        raise BadInput("The name of an input is not text.", hint="Rename the file or folder.")
    parts = Path(os.path.expanduser(named)).parts  # noqa: PTH111 - leaves an unknown user alone
    fixed = next((at for at, part in enumerate(parts) if WILD & set(part)), len(parts))
    try:
        root = Path(*parts[:fixed]).resolve()
    except (OSError, RuntimeError) as error:
        raise BadInput(f"The path {named} leads nowhere: {error}.", hint="Check it.") from None
    return root, "/".join(parts[fixed:]) or None


def check_input(
    named: str, endpoint: str | None, roots: Sequence[Path], *, private_hosts: bool
) -> None:
    """Refuse what a caller may not name, before anything is asked: a path outside of `roots`, an
    address or an `endpoint` of buckets that may not be called. Raises BadInput."""
    if is_web(named):
        web_client(named, private_hosts=private_hosts)
    elif named.startswith(UPLOADS):
        check_named(named)
    elif named.startswith(SCHEME):
        split_bucket(named)
        if endpoint is not None:
            client(Store(endpoint, ""), private_hosts=private_hosts)
    else:
        open_place(named, frozenset(), roots)
