"""How alive it is between the owner and a contact, as a number from 0 to 100."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from headrace.insight import Gathered, Kind, Quoting, Reader, Told
from headrace.insights import letters
from headrace.insights.letters import Sources, name_of, of_contact, quotable
from headrace.insights.wording import count, day, flat

DAYS = 90
"""Days that are looked back on."""

# Points of the newest interaction, by its age in days: steps, so that the score is mostly the same
# tomorrow.
_RECENT = ((7, 40), (30, 30), (DAYS, 15))
_OFTEN, _OFTEN_POINTS = 12, 25  # interactions that are worth all the points: one a week
_MUTUAL_POINTS = 20
_MEETINGS, _MEETING_POINTS = 3, 15

_COUNTS = """
SELECT count(*) AS interactions, count(*) FILTER (WHERE kind = 'meeting_created') AS meetings,
  count(*) FILTER (WHERE kind <> 'meeting_created' AND direction = 'outbound') AS sent,
  count(*) FILTER (WHERE kind <> 'meeting_created' AND direction IS DISTINCT FROM 'outbound')
    AS received,
  max(occurred_at) AS last
FROM (
  SELECT DISTINCT i.stream_id, i.source_id, i.kind, i.direction, i.occurred_at
  FROM headrace.contact_identities c
  JOIN headrace.participants p USING (tenant_id, identity_id)
  JOIN headrace.interactions i USING (tenant_id, stream_id, source_id)
  WHERE c.tenant_id = %(tenant)s AND c.user_id = %(user)s AND c.contact_id = %(contact)s
    AND p.occurred_at >= %(since)s AND p.occurred_at <= %(now)s AND i.automated IS NULL
  LIMIT 1000
) found
"""


def gather(reader: Reader, subject: str) -> Gathered | None:
    """How often and how lately; None for somebody with whom nothing has been for long."""
    who = letters.contact(reader, subject)
    if who is None:
        return None
    since = reader.now - timedelta(days=DAYS)
    [counts] = reader.rows(_COUNTS, contact=who["contact_id"], since=since, now=reader.now)
    sources = Sources()
    for one in of_contact(reader, who["contact_id"], limit=5):
        sources.add(one.given())
    if not counts["interactions"] or not sources.given:
        return None
    points = score(reader.now, counts)
    facts = {"name": name_of(who), **counts, "points": points, "score": sum(points.values())}
    return Gathered(f"contact:{who['contact_id']}", facts, sources.given)


def score(now: datetime, counts: dict[str, Any]) -> dict[str, int]:
    """The points of each part."""
    age = (now - counts["last"]).days
    sent, received = counts["sent"], counts["received"]
    mutual = min(sent, received) / max(sent, received, 1)
    often = min(1.0, counts["interactions"] / _OFTEN)
    met = min(1.0, counts["meetings"] / _MEETINGS)
    return {
        "recency": next((points for days, points in _RECENT if age <= days), 0),
        "frequency": round(_OFTEN_POINTS * often),
        "reciprocity": round(_MUTUAL_POINTS * mutual),
        "meetings": round(_MEETING_POINTS * met),
    }


def rules(gathered: Gathered) -> Told:
    """The score with its parts, so that it can be disputed."""
    facts = gathered.facts
    total, points = facts["score"], facts["points"]
    summary = (
        f"{total} of 100 points, for the last {DAYS} days: {points['recency']} of 40 for the last"
        f" contact on {day(facts['last'])}, {points['frequency']} of {_OFTEN_POINTS} for"
        f" {count(facts['interactions'], 'interaction')}, {points['reciprocity']} of"
        f" {_MUTUAL_POINTS} for {facts['sent']:,} sent and {facts['received']:,} received,"
        f" {points['meetings']} of {_MEETING_POINTS} for {count(facts['meetings'], 'meeting')}."
    )
    quoted = [Quoting(number, quotable(one)) for number, one in enumerate(gathered.given, 1)]
    return Told(
        title=flat(f"{facts['name']}: {total} of 100", 200),
        summary=summary,
        confidence=min(0.9, 0.3 + facts["interactions"] / 20),
        priority="high" if total >= 70 else "medium" if total >= 40 else "low",
        actions=[],
        sources=quoted[:3],
    )


lead_score = Kind(
    name="lead_score",
    form=letters.CONTACT,
    example=letters.CONTACT_EXAMPLE,
    there=letters.contact_there,
    subjects=letters.recent_contacts,
    gather=gather,
    rules=rules,
    prompt="Explain how warm this contact is. The score of the facts stands: repeat it in the title"
    " as NAME: SCORE of 100, and say from the sources what is behind it and what would change it.",
)
