"""Who is one person, by the newest decisions: connected, unless somebody says they are two."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec


class Decision(msgspec.Struct, frozen=True):
    """The decision that counts for a pair: a person's before a rule's, and of those the newest."""

    first_id: UUID
    second_id: UUID
    decision: str
    score: float
    by_person: bool


def groups(fit: Iterable[UUID], decisions: Iterable[Decision]) -> dict[UUID, UUID]:
    """The contact of each of these identities: the least id of those that belong together.

    What a person has said comes first, then the surest rule. Where somebody has said that two are
    different people, nothing joins them by a detour. It depends on the decisions alone, and not on
    the order in which they were made.
    """
    members = {one: {one} for one in fit}
    foes: dict[UUID, set[UUID]] = {one: set() for one in members}
    joined: list[Decision] = []
    for one in decisions:
        if one.first_id not in members or one.second_id not in members:
            continue
        if one.decision == "different":
            foes[one.first_id].add(one.second_id)
            foes[one.second_id].add(one.first_id)
        elif one.decision == "same":
            joined.append(one)
    at = {one: one for one in members}
    for one in sorted(joined, key=lambda d: (not d.by_person, -d.score, d.first_id, d.second_id)):
        first, second = at[one.first_id], at[one.second_id]
        if first == second or foes[first] & members[second]:
            continue
        if len(members[first]) < len(members[second]):
            first, second = second, first
        for moved in members[second]:
            at[moved] = first
        members[first] |= members.pop(second)
        foes[first] |= foes.pop(second)
    least = {root: min(all_) for root, all_ in members.items()}
    return {one: least[root] for one, root in at.items()}
