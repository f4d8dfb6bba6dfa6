"""What people write at GitHub, as interactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from headrace.errors import Skip
from headrace.rows import InteractionRow
from headrace.stage import RawEvent, StreamContext, stage
from headrace.text import clean_text


class _User(msgspec.Struct):
    login: str = ""
    id: int = 0


class _Named(msgspec.Struct):
    name: str | None = None


class _Signature(msgspec.Struct):
    name: str | None = None
    email: str | None = None


class _Commit(msgspec.Struct):
    message: str = ""
    author: _Signature | None = None


class _Subject(msgspec.Struct):
    title: str | None = None
    url: str | None = None


class _Repository(msgspec.Struct):
    id: int = 0


class _Payload(msgspec.Struct):
    """What is read of a row, whichever kind it is of."""

    user: _User | None = None
    author: _User | None = None
    title: str | None = None
    body: str | None = None
    labels: list[_Named | str] = []
    number: int | None = None
    pull_request: Any = None
    issue_url: str | None = None
    pull_request_url: str | None = None
    state: str | None = None
    commit: _Commit | None = None
    tag_name: str | None = None
    name: str | None = None
    draft: bool = False
    prerelease: bool = False
    reason: str | None = None
    unread: bool = False
    subject: _Subject | None = None
    repository: _Repository | None = None


class _Said(msgspec.Struct):
    """What becomes of a payload. `thread` is the number of an issue or pull request."""

    kind: str
    who: _User | None
    subject: str | None = None
    body: str | None = None
    labels: list[str] = []
    thread: str | None = None
    name: str | None = None
    address: str | None = None


_PAYLOAD = msgspec.json.Decoder(_Payload)


@stage(version=1, content="application/vnd.github+json")
def normalize_github(raw: RawEvent, stream: StreamContext) -> Iterable[InteractionRow]:
    """One row for each payload; the stream's name says what it is. Raises Skip where a field that
    is used has changed its type (R13), and for a kind that is not known."""
    home, _, kind = stream.stream.rpartition("/")
    read = _READERS.get(kind)
    if read is None:
        raise Skip(f"The stream {stream.stream} is of no kind that is known.")
    try:
        payload = _PAYLOAD.decode(raw.payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Skip(f"GitHub's row has another form than it should: {error}.") from None
    said = read(payload)
    if payload.repository is not None:
        home = str(payload.repository.id)
    yield InteractionRow(
        source_id=raw.source_id,
        version=raw.version,
        source="github",
        kind=said.kind,
        occurred_at=raw.occurred_at,
        direction=_direction(said, stream.addresses),
        # By the repository's number: its name may change between an issue and its comments.
        thread_id=f"{home}#{said.thread}" if said.thread else None,
        from_name=_clean(said.who.login if said.who else said.name),
        from_address=_clean(said.address),
        subject=_clean(said.subject),
        body=_clean(said.body) or "",
        labels=[clean_text(one) for one in said.labels],
    )


def _issue(payload: _Payload) -> _Said:
    names = [one if isinstance(one, str) else one.name for one in payload.labels]
    return _Said(
        "issue" if payload.pull_request is None else "pull_request",
        payload.user,
        payload.title,
        payload.body,
        [one for one in names if one],
        None if payload.number is None else str(payload.number),
    )


def _comment(payload: _Payload) -> _Said:
    thread = _last(payload.issue_url or payload.pull_request_url)
    return _Said("comment", payload.user, body=payload.body, thread=thread)


def _review(payload: _Payload) -> _Said:
    verdict = [payload.state.lower()] if payload.state else []
    thread = _last(payload.pull_request_url)
    return _Said("review", payload.user, body=payload.body, labels=verdict, thread=thread)


def _commit(payload: _Payload) -> _Said:
    commit = payload.commit or _Commit()
    by = commit.author or _Signature()
    address = by.email.lower() if by.email else None
    return _Said(
        "commit",
        payload.author,
        commit.message.partition("\n")[0],
        commit.message,
        name=by.name,
        address=address,
    )


def _release(payload: _Payload) -> _Said:
    labels = [name for name in ("draft", "prerelease") if getattr(payload, name)]
    title = payload.name or payload.tag_name
    return _Said("release", payload.author, title, payload.body, labels)


def _notification(payload: _Payload) -> _Said:
    subject = payload.subject or _Subject()
    labels = [*([payload.reason] if payload.reason else []), *(["unread"] * payload.unread)]
    return _Said("notification", None, subject.title, None, labels, _last(subject.url))


_READERS: dict[str, Callable[[_Payload], _Said]] = {
    "issues": _issue,
    "comments": _comment,
    "review_comments": _comment,
    "reviews": _review,
    "commits": _commit,
    "releases": _release,
    "notifications": _notification,
}


def _direction(said: _Said, own: frozenset[str]) -> str | None:
    """Outbound is what the account's owner wrote: known by the address that GitHub gives every
    account, which has its number and its login in it."""
    if not own:
        return None
    who = said.who
    hidden = f"{who.id}+{who.login.lower()}@users.noreply.github.com" if who else None
    return "outbound" if {hidden, said.address} & own else "inbound"


def _last(url: str | None) -> str | None:
    """The number that an address ends in."""
    number = (url or "").rpartition("/")[2]
    return number if number.isdecimal() else None


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_text(text)
