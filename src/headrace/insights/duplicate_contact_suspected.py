"""Two identities that may be one person's, which somebody should decide."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from headrace.insight import Gathered, Kind, Quoting, Reader, Told
from headrace.insights.letters import Sources, letters, quotable
from headrace.insights.wording import flat

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

# Suggestions on pairs that nobody has decided, and that are not one contact by other links. The
# newest word on a pair counts, and a person's before a rule's.
_OPEN = """
SELECT l.first_id, l.second_id FROM (
  SELECT DISTINCT ON (first_id, second_id) link_id, first_id, second_id, decision, score
  FROM headrace.contact_links WHERE tenant_id = %(tenant)s AND user_id = %(user)s
  ORDER BY first_id, second_id, decided_by <> 'rule' DESC, link_id DESC
) l
JOIN headrace.contact_identities a ON a.tenant_id = %(tenant)s AND a.identity_id = l.first_id
JOIN headrace.contact_identities b ON b.tenant_id = %(tenant)s AND b.identity_id = l.second_id
WHERE l.decision = 'suggested' AND a.contact_id IS DISTINCT FROM b.contact_id
ORDER BY l.score DESC, l.link_id DESC LIMIT %(limit)s
"""

_LINK = """
SELECT decision, rule, score, evidence FROM headrace.contact_links
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND first_id = %(first)s
  AND second_id = %(second)s
ORDER BY decided_by <> 'rule' DESC, link_id DESC LIMIT 1
"""

_IDENTITY = """
SELECT identity_id, kind, value, name, contact_id
FROM headrace.contact_identities
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND identity_id = ANY(%(both)s)
ORDER BY identity_id
"""

_WITH = """
JOIN (
  SELECT DISTINCT occurred_at, stream_id, source_id FROM headrace.participants
  WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND identity_id = %(identity)s
  ORDER BY 1 DESC NULLS LAST, 2, 3 LIMIT 2
) mine USING (stream_id, source_id)
WHERE i.tenant_id = %(tenant)s AND i.user_id = %(user)s
ORDER BY i.occurred_at DESC NULLS LAST, i.stream_id, i.source_id
"""


def subjects(reader: Reader, limit: int) -> list[str]:
    """The suggestions that wait for a decision, the likeliest first."""
    return [f"pair:{row['first_id']}:{row['second_id']}" for row in reader.rows(_OPEN, limit=limit)]


def there(reader: Reader, subject: str) -> bool:
    """Whether both identities are there."""
    return len(_both(reader, subject)) == 2


def gather(reader: Reader, subject: str) -> Gathered | None:
    """Both identities, and why they may be one person's; None where that is settled."""
    both = _both(reader, subject)
    if len(both) != 2 or (both[0]["contact_id"] and both[0]["contact_id"] == both[1]["contact_id"]):
        return None
    first, second = (one["identity_id"] for one in both)
    links = reader.rows(_LINK, first=first, second=second)
    if not links or links[0]["decision"] != "suggested":
        return None
    sources = Sources()
    for one in both:
        for letter in letters(reader, _WITH, identity=one["identity_id"]):
            sources.add(letter.given())
    if not sources.given:
        return None
    shown = ("kind", "value", "name")
    facts = {
        "both": [{name: one[name] for name in shown} for one in both],
        **{name: links[0][name] for name in ("rule", "score", "evidence")},
    }
    return Gathered(f"pair:{first}:{second}", facts, sources.given)


def _both(reader: Reader, subject: str) -> list[dict[str, Any]]:
    ids = [UUID(one) for one in subject.removeprefix("pair:").split(":")]
    return reader.rows(_IDENTITY, both=ids)


def rules(gathered: Gathered) -> Told:
    """The suggestion, in words."""
    facts = gathered.facts
    first, second = (_named(one) for one in facts["both"])
    return Told(
        title=flat(f"One person? {first} and {second}", 200),
        summary=f"{first} and {second} may be one person: the rule {facts['rule']!r} says so, with"
        f" a score of {facts['score']:.2f}. Nothing was joined.",
        confidence=max(0.0, min(1.0, facts["score"])),
        priority="low",
        actions=["Join the two contacts if they are one person, or say that they are not"],
        sources=[Quoting(n, quotable(one)) for n, one in enumerate(gathered.given, 1)],
    )


def _named(one: dict[str, Any]) -> str:
    return f"{one['name']} ({one['value']})" if one["name"] else str(one["value"])


duplicate_contact_suspected = Kind(
    name="duplicate_contact_suspected",
    form=rf"pair:{_ID}:{_ID}",
    example="pair:0b9c1b52-6c3e-4a0e-8a55-3f1c2d4e5f60:5d3a1c52-...",
    there=there,
    subjects=subjects,
    gather=gather,
    rules=rules,
    prompt="Say whether these two identities are one person's, what speaks for it and what against"
    " it. The confidence is how sure you are that they are one. Nothing is joined by what you say.",
)
