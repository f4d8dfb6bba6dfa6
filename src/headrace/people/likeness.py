"""How likely it is that two identities are one person's, and why (A1.42): exact, then by the
organisation's domain, then by likeness alone, which never decides by itself."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import msgspec

from headrace.people.addresses import Local, github_login, organisation, related_hosts
from headrace.people.names import Relation, compare, read_name

AUTOMATIC = 0.95
"""From this score on, two identities are taken for one person's."""

SUGGESTED = 0.6
"""From this score on, it is suggested."""

_MOST_FUZZY = 0.79
_HANDLE = 6  # letters that a login or local part needs to say anything by itself

Rule = Literal["exact", "domain", "fuzzy", "together"]


class Identity(msgspec.Struct, dict=True, frozen=True):
    """What is compared of an identity; see the table."""

    kind: str
    value: str
    canonical: str
    name: str | None = None

    @cached_property
    def called(self) -> Any:
        """Its name, read; a login that stands in the place of one is none."""
        shown = (self.name or "").lower()
        return read_name(None if shown == self.canonical.partition("@")[0] else self.name)

    @cached_property
    def local(self) -> Local:
        """What stands before the @; a login as a whole."""
        return Local(self.canonical if self.kind == "email" else f"{self.canonical}@")

    @cached_property
    def domain(self) -> str | None:
        """The domain of an address's organisation."""
        return organisation(self.value) if self.kind == "email" else None

    @cached_property
    def certain(self) -> str:
        """What nobody else has."""
        login = self.canonical if self.kind == "github" else github_login(self.value)
        return f"github:{login}" if login else f"{self.kind}:{self.canonical}"


class Likeness(msgspec.Struct, frozen=True):
    """A score from 0 to 1, by which rule, and the evidence: which fields, and how similar."""

    score: float
    rule: Rule
    evidence: dict[str, Any]


def likeness(one: Identity, other: Identity) -> Likeness | None:
    """How alike two identities are; None where there is nothing to say."""
    relation, similar = compare(one.called, other.called)
    evidence: dict[str, Any] = {
        "values": [one.value, other.value],
        "names": [one.name, other.name],
        "name": relation,
        "similarity": similar,
    }
    if one.certain == other.certain:
        # A tagged address may have been given to somebody else of the family.
        return Likeness(0.7 if relation == "unlike" else 1.0, "exact", evidence)
    if relation == "unlike" or one.called.role or other.called.role:
        return None
    if one.kind in ("email", "github") and one.local.role:
        return None
    if other.kind in ("email", "github") and other.local.role:
        return None
    if one.domain is not None and one.domain == other.domain:
        evidence |= {"domain": one.domain}
        score = _colleagues(one, other, relation, evidence)
        return Likeness(score, "domain", evidence) if score >= SUGGESTED else None
    score = min(_strangers(one, other, relation, similar, evidence), _MOST_FUZZY)
    return Likeness(score, "fuzzy", evidence) if score >= SUGGESTED else None


def together(one: Identity, other: Identity, records: int) -> Likeness | None:
    """The source named both as the one who wrote, in as many records: a telephone number in a
    signature, a login beside an address."""
    relation, similar = compare(one.called, other.called)
    if relation in ("unlike", "similar"):
        return None
    evidence = {
        "values": [one.value, other.value],
        "names": [one.name, other.name],
        "name": relation,
        "similarity": similar,
        "records": records,
    }
    return Likeness(0.97, "together", evidence)


def _colleagues(one: Identity, other: Identity, relation: Relation, why: dict[str, Any]) -> float:
    """Both have an address of one organisation."""
    mine, theirs = one.local, other.local
    spelled = (mine.spells(other.called), theirs.spells(one.called))
    own = (mine.spells(one.called), theirs.spells(other.called))
    related, same = related_hosts(mine.host, theirs.host), mine.same(theirs)
    why |= {"local": [one.local.letters, other.local.letters], "spells": list(own)}
    if mine.digits != theirs.digits:
        # Where two have the same name, the second one's address gets a number.
        return 0.8 if relation == "equal" else 0.0
    if relation == "equal":
        if all(own) or same:
            return 0.97 if related else 0.85
        return 0.9 if any(own) else 0.8
    if relation == "compatible":
        # A name that only one of them has may tell two people apart; a short form does not.
        short = len(one.called.tokens) == len(other.called.tokens)
        if same or (all(own) and (short or all(spelled))):
            return 0.96 if related else 0.8
        return 0.85 if any(own) else 0.75
    if relation == "loose":
        return 0.9 if same or all(own) else 0.7
    if relation == "similar":
        return 0.85 if same and one.called.generation == other.called.generation else 0.75
    return _nameless(one, other, spelled, same=same, related=related)


def _nameless(
    one: Identity, other: Identity, spelled: tuple[Any, Any], *, same: bool, related: bool
) -> float:
    """At least one of them has no name that says enough."""
    if same:
        return (0.96 if related else 0.7) if len(one.local.letters) >= _HANDLE else 0.75
    full = [mine for mine, theirs in zip(spelled, (other, one), strict=True) if theirs.called.full]
    if "full" in full:
        return 0.96 if related else 0.7
    return 0.75 if any(full) or any(spelled) else 0.0


def _strangers(
    one: Identity, other: Identity, relation: Relation, similar: float, why: dict[str, Any]
) -> float:
    """Nothing but names and how addresses are written."""
    mine, theirs = one.local, other.local
    handle = (
        mine.same(theirs)
        and len(mine.letters) >= _HANDLE
        and "phone"
        not in (
            one.kind,
            other.kind,
        )
    )
    why |= {"local": [mine.letters, theirs.letters]}
    match relation:
        case "equal":
            return 0.78 if handle else 0.7
        case "compatible":
            return 0.74 if handle else 0.65
        case "loose":
            return 0.68 if handle else 0.55
        case "similar":
            return 0.7 if handle else 0.6 * similar + 0.05
    return 0.62 if handle else 0.0
