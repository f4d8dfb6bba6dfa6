"""What people write at GitHub, as interactions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from headrace.errors import Skip
from headrace.github.payloads import Commit, Payload, Signature, Subject, User
from headrace.mail.automated import nobodys
from headrace.mail.replies import Own, own_words
from headrace.rows import InteractionRow, Person
from headrace.stage import RawEvent, StreamContext, stage
from headrace.stages.people import as_json
from headrace.text import clean_text, text_hash, text_to_embed


class _Said(msgspec.Struct):
    """What becomes of a payload. `thread` is the number of an issue or pull request."""

    kind: str
    who: User | None
    subject: str | None = None
    body: str | None = None
    labels: list[str] = []
    thread: str | None = None
    name: str | None = None
    address: str | None = None
    assignees: list[User] = []
    automated: bool = False


_HIDDEN = re.compile(r"(?:\d+\+)?([^@+]+)@users\.noreply\.github\.com")
_PROGRAMS = frozenset(
    {
        "codecov-commenter", "codecov-io", "coveralls", "dependabot-preview", "github-actions",
        "googlebot", "greenkeeper", "k8s-ci-robot", "netlify", "renovate-bot", "sonarcloud",
        "travis-ci", "vercel", "web-flow",
    }
)  # fmt: skip
"""Accounts of programs that GitHub does not call so."""

_PAYLOAD = msgspec.json.Decoder(Payload)


@stage(version=2, content="application/vnd.github+json")
def normalize_github(raw: RawEvent, stream: StreamContext) -> Iterable[InteractionRow]:
    """One row for each payload; the stream's name says what it is. Raises Skip where a field that
    is used has changed its type (R13), and for a kind that is not known."""
    home, _, kind = stream.stream.rpartition("/")
    read = _READERS.get(kind)
    if read is None:
        raise Skip(
            f"The stream {stream.stream} is of no kind that is known.",
            hint="Report it; retry the dead letter with a version that knows it.",
        )
    try:
        payload = _PAYLOAD.decode(raw.payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Skip(
            f"GitHub's row has another form than it should: {error}.",
            hint="Report it; retry the dead letter once the stage reads it.",
        ) from None
    said = read(payload)
    if payload.repository is not None:
        home = str(payload.repository.id)
    people = _people(said)
    subject, body = _clean(said.subject), _clean(said.body) or ""
    # What an issue quotes is what it is about; in an answer it is the question.
    own = own_words(body, signed=False) if said.kind in ("comment", "review") else Own()
    automated = people[0].automated if people else None
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
        subject=subject,
        body=body,
        labels=[clean_text(one) for one in said.labels],
        people=as_json(people),
        unquoted=own.unquoted,
        automated=automated,
        text_hash=_hash(said, subject, own.unquoted, body, automated),
    )


def _issue(payload: Payload) -> _Said:
    names = [one if isinstance(one, str) else one.name for one in payload.labels]
    return _Said(
        "issue" if payload.pull_request is None else "pull_request",
        payload.user,
        payload.title,
        payload.body,
        [one for one in names if one],
        None if payload.number is None else str(payload.number),
        assignees=payload.assignees or [],
    )


def _comment(payload: Payload) -> _Said:
    thread = _last(payload.issue_url or payload.pull_request_url)
    return _Said("comment", payload.user, body=payload.body, thread=thread)


def _review(payload: Payload) -> _Said:
    verdict = [payload.state.lower()] if payload.state else []
    thread = _last(payload.pull_request_url)
    return _Said("review", payload.user, body=payload.body, labels=verdict, thread=thread)


def _commit(payload: Payload) -> _Said:
    commit = payload.commit or Commit()
    by = commit.author or Signature()
    address = by.email.lower() if by.email else None
    return _Said(
        "commit",
        payload.author,
        commit.message.partition("\n")[0],
        commit.message,
        name=by.name,
        address=address,
    )


def _release(payload: Payload) -> _Said:
    labels = [name for name in ("draft", "prerelease") if getattr(payload, name)]
    title = payload.name or payload.tag_name
    return _Said("release", payload.author, title, payload.body, labels)


def _notification(payload: Payload) -> _Said:
    subject = payload.subject or Subject()
    labels = [*([payload.reason] if payload.reason else []), *(["unread"] * payload.unread)]
    return _Said("notification", None, subject.title, None, labels, _last(subject.url))


_READERS: dict[str, Callable[[Payload], _Said]] = {
    "issues": _issue,
    "comments": _comment,
    "review_comments": _comment,
    "reviews": _review,
    "commits": _commit,
    "releases": _release,
    "notifications": _notification,
}


def _hash(
    said: _Said, subject: str | None, unquoted: str | None, body: str, automated: str | None
) -> bytes | None:
    """A notification says what the issue says that it is about, and is not embedded."""
    if said.kind == "notification" or (automated is not None and not body):
        return None
    return text_hash(text_to_embed(subject, unquoted, body))


def _people(said: _Said) -> list[Person]:
    """Who wrote it, first, and whose task it is. A commit's author has an address as well, unless
    it is the one that GitHub gives every account."""
    people: list[Person] = []
    name = _clean(said.name)
    if said.who is not None and said.who.login:
        people.append(_person("author", said.who, name))
    address = clean_text(said.address or "").strip()
    hidden = _HIDDEN.fullmatch(address)
    if hidden is not None:
        if not people:
            people.append(_person("author", User(hidden[1]), name))
    elif "@" in address:
        why = people[0].automated if people else None
        people.append(Person("author", "email", address, name, automated=why or nobodys(address)))
    people += [_person("assignee", one) for one in said.assignees if one.login]
    return people


def _person(role: str, user: User, name: str | None = None) -> Person:
    login = clean_text(user.login).lower()
    program = user.type == "Bot" or login.endswith("[bot]") or login in _PROGRAMS
    return Person(role, "github", login, name, automated="bot" if program else None)


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
