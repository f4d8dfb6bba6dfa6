"""From a path that a person names to the connections it means: mail, documents, or both."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from headrace.documents import sniff
from headrace.documents.endings import DOCUMENTS
from headrace.engine.intake import documents
from headrace.engine.wanted import Wanted, full_path, plain
from headrace.errors import BadInput, Skip
from headrace.files import open_place
from headrace.files.archive import Archive, is_archive
from headrace.files.config import DocumentsConfig
from headrace.files.pattern import WILD
from headrace.files.place import MOST_BYTES
from headrace.files.uploads import SCHEME as UPLOADS
from headrace.files.uploads import check_named
from headrace.files.web import is_web
from headrace.mailbox.detect import find
from headrace.plugins import provider


def mailbox(path: Path, addresses: Sequence[str]) -> Wanted:
    """A mailbox on this machine. Raises BadInput, before anything is made of it, when there is
    nothing at that path or no mail in it, and for an address that is none."""
    full = _there(path)
    find(full)
    return _mailbox(full, addresses)


def _mailbox(full: Path, addresses: Sequence[str]) -> Wanted:
    try:
        made = provider("mailbox").Config.model_validate(
            {"path": str(full), "addresses": list(addresses)}
        )
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadInput(f"{said}.", hint="Write it as you@example.org.") from None
    config = plain(made)
    return Wanted("mailbox", str(full), config, addresses=config.get("addresses", ()))


def _there(path: Path) -> Path:
    """The path from the root. Raises BadInput where there is nothing, or its name is no text."""
    full = full_path(path)
    if full is None or not os.path.lexists(full):
        raise BadInput(f"There is nothing at {path}.", hint="Check the path.")
    try:
        str(full).encode()
    except UnicodeEncodeError:
        raise BadInput(
            f"The name of {path} is not text, so nothing can be called by it.", hint="Rename it."
        ) from None
    return full


_MAIL = ("**/*.eml",)


def files(named: str, addresses: Sequence[str]) -> list[Wanted]:
    """What lies at a path on this machine: mail, documents, or a folder with both; what a pattern
    matches; the document at an address; or uploads. Raises BadInput when there is neither."""
    if named.startswith(UPLOADS):
        check_named(named)
    if is_web(named) or named.startswith(UPLOADS):
        return [documents(DocumentsConfig(input=[named]))]
    path = Path(named)
    if WILD & set(str(path)) and not os.path.lexists(path.expanduser()):
        return [_matching(path)]
    full = _there(path)
    try:
        find(full)
    except BadInput as no_mail:
        found = _documents(full, ())
        if found is None:
            raise _no_document(full) or no_mail from None
        return [found]
    mail = _mailbox(full, addresses)
    found = _documents(full, _MAIL) if full.is_dir() else None
    return [mail] if found is None else [mail, found]


def _matching(path: Path) -> Wanted:
    named = os.path.abspath(path.expanduser())  # noqa: PTH100 - a pattern cannot be resolved
    if next(open_place(named, DOCUMENTS, None).items(""), None) is None:
        raise BadInput(f"Nothing matches {path}.", hint="`**` goes through folders, `*` does not.")
    return documents(DocumentsConfig(input=[named]))


def _documents(full: Path, exclude: Sequence[str]) -> Wanted | None:
    """A folder with documents in it, or a file that is one; None for anything else."""
    if full.is_file() and not _is_document(full):
        return None
    try:
        if next(open_place(str(full), DOCUMENTS, None, exclude).items(""), None) is None:
            return None
    except BadInput:
        return None
    return documents(DocumentsConfig(input=[str(full)], exclude=list(exclude)))


def _no_document(file: Path) -> BadInput | None:
    """Why a file with a document's ending is none; None for any other: it was meant as mail."""
    if file.suffix.lower() not in DOCUMENTS or not file.is_file():
        return None
    try:
        if file.stat().st_size > MOST_BYTES:
            return BadInput(
                f"{file} is larger than {MOST_BYTES >> 20} MB.", hint="Split it into several files."
            )
        sniff(file.name, file.read_bytes())
    except Skip as skip:
        return BadInput(f"{file}: {skip.message}", hint=skip.hint)
    except OSError:
        pass
    return None


def _is_document(file: Path) -> bool:
    """Whether a file that somebody named can be read: better known before it is landed."""
    try:
        if file.stat().st_size > MOST_BYTES:
            return False
        content = file.read_bytes()
        if is_archive(file.name):
            members = Archive(file.name, content).members
            return any(Path(one).suffix.lower() in DOCUMENTS for one in members)
        return bool(sniff(file.name, content))
    except (OSError, Skip):
        return False
