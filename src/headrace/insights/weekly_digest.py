"""A week in review: who wrote, who is new, who still waits, and what comes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.insight import Gathered, Given, Kind, Quoting, Reader, Told
from headrace.insights.letters import Sources, letters, quotable, unanswered
from headrace.insights.wording import count, day, flat, listed

MOST_READ = 300
_WEEK = timedelta(days=7)
_FORM = r"week:(\d{4})-W(0[1-9]|[1-4]\d|5[0-3])"

_COUNTS = """
SELECT count(*) FILTER (WHERE direction = 'outbound') AS sent,
  count(*) FILTER (WHERE direction IS DISTINCT FROM 'outbound' AND automated IS NULL) AS received,
  count(*) FILTER (WHERE automated IS NOT NULL) AS automated
FROM headrace.interactions
WHERE tenant_id = %(tenant)s AND user_id = %(user)s
  AND occurred_at >= %(since)s AND occurred_at < %(until)s
"""

_PEOPLE = """
SELECT k.name, k.email, k.contact_id, count(DISTINCT (p.stream_id, p.source_id)) AS interactions
FROM headrace.participants p
JOIN headrace.contact_identities c USING (tenant_id, identity_id)
JOIN headrace.contacts k ON k.tenant_id = c.tenant_id AND k.contact_id = c.contact_id
WHERE p.tenant_id = %(tenant)s AND p.user_id = %(user)s
  AND p.occurred_at >= %(since)s AND p.occurred_at < %(until)s
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 3 LIMIT 5
"""

_NEW = """
SELECT name, email, contact_id, count(*) OVER () AS of FROM headrace.contacts
WHERE tenant_id = %(tenant)s AND user_id = %(user)s
  AND first_seen_at >= %(since)s AND first_seen_at < %(until)s
ORDER BY last_seen_at DESC NULLS LAST, contact_id LIMIT 5
"""

_READ = """
WHERE i.tenant_id = %(tenant)s AND i.user_id = %(user)s AND i.occurred_at >= %(since)s
  AND i.occurred_at < %(later)s AND i.automated IS NULL
ORDER BY i.occurred_at DESC, i.stream_id, i.source_id LIMIT %(limit)s
"""

_MEETINGS = """
SELECT stream_id, source_id, version, occurred_at, title, count(*) OVER () AS of
FROM headrace.calendar_events
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND status IS DISTINCT FROM 'cancelled'
  AND occurred_at >= %(until)s AND occurred_at < %(later)s AND title <> ''
ORDER BY occurred_at, source_id LIMIT 5
"""


def begin(subject: str) -> datetime | None:
    """When a week begins: Monday, 00:00 UTC. None for a week that its year does not have."""
    found = re.fullmatch(_FORM, subject)
    try:
        return found and datetime.fromisocalendar(int(found[1]), int(found[2]), 1).replace(
            tzinfo=UTC
        )
    except ValueError:
        return None


def week_before(now: datetime) -> str:
    """The last week that is over, as a subject."""
    year, week, _ = (now.astimezone(UTC) - _WEEK).isocalendar()
    return f"week:{year}-W{week:02}"


def subjects(reader: Reader, limit: int) -> list[str]:
    """The last week that is over."""
    del limit
    return [week_before(reader.now)]


def there(reader: Reader, subject: str) -> bool:
    """Whether there is such a week."""
    del reader
    return begin(subject) is not None


def gather(reader: Reader, subject: str) -> Gathered | None:
    """The week's counts, and the texts that matter of it; None for a week in which nothing was."""
    since = begin(subject)
    if since is None:
        return None
    until = since + _WEEK
    week = {"since": since, "until": until}
    [counts] = reader.rows(_COUNTS, **week)
    people = reader.rows(_PEOPLE, **week)
    new = reader.rows(_NEW, **week)
    read = letters(reader, _READ, since=since, later=until + _WEEK, limit=MOST_READ)
    sources = Sources()
    open_: list[dict[str, Any]] = []
    for one, asked in unanswered(read):
        asked_then = one.occurred_at is not None and one.occurred_at < until
        if asked_then and len(open_) < 5 and (number := sources.add(one.given())):
            open_.append({"source": number, "from": one.who, "quote": asked[0]})
    meetings = _meetings(reader, until, sources)
    for one in [one for one in read if one.occurred_at and one.occurred_at < until][:3]:
        sources.add(one.given())
    if not sources.given:
        return None
    facts = {
        "begins": since,
        **counts,
        "people": {_name(one): one["interactions"] for one in people},
        "new": [_name(one) for one in new],
        "new_in_all": new[0]["of"] if new else 0,
        "unanswered": open_,
        **meetings,
    }
    return Gathered(subject, facts, sources.given)


def _meetings(reader: Reader, until: datetime, sources: Sources) -> dict[str, Any]:
    rows = reader.rows(_MEETINGS, until=until, later=until + _WEEK)
    coming = []
    for row in rows:
        at = (row["stream_id"], row["source_id"], row["version"], row["occurred_at"])
        one = Given(*at, None, None, row["title"])
        if number := sources.add(one):
            coming.append({"source": number, "at": row["occurred_at"], "quote": quotable(one)})
    return {"meetings": coming, "meetings_in_all": rows[0]["of"] if rows else 0}


def _name(row: dict[str, Any]) -> str:
    return str(row["name"] or row["email"] or row["contact_id"])


def rules(gathered: Gathered) -> Told:
    """One line for each thing there is to say of the week."""
    facts, given = gathered.facts, gathered.given
    counted = (
        f"Week of {day(facts['begins'])}: {facts['sent']:,} sent, {facts['received']:,} received"
        f" from people, {facts['automated']:,} from programs."
    )
    lines = [counted]
    if facts["people"]:
        most = [f"{name} ({number})" for name, number in facts["people"].items()]
        lines.append(f"Most with {listed(most)}.")
    if facts["new"]:
        new = count(facts["new_in_all"], "new contact")
        lines.append(f"{new}: {listed(facts['new'])}{_rest(facts['new_in_all'], facts['new'])}.")
    quoted, actions = [], []
    for one in facts["unanswered"]:
        lines.append(f"Not answered, {one['from']}: {flat(one['quote'])}")
        actions.append(f"Answer {one['from']}: {flat(one['quote'])}")
        quoted.append(Quoting(one["source"], one["quote"]))
    for one in facts["meetings"]:
        lines.append(f"To come, {day(one['at'])}: {flat(one['quote'])}")
        quoted.append(Quoting(one["source"], one["quote"]))
    if not quoted:
        quoted = [Quoting(number, quotable(one)) for number, one in enumerate(given, 1)][:3]
    return Told(
        title=f"The week of {day(facts['begins'])}",
        summary="\n".join(lines),
        confidence=0.9,  # they are counts
        priority="medium" if facts["unanswered"] else "low",
        actions=[flat(one, 300) for one in actions[:5]],
        sources=quoted,
    )


def _rest(of: int, shown: list[str]) -> str:
    return f", and {of - len(shown)} more" if of > len(shown) else ""


weekly_digest = Kind(
    name="weekly_digest",
    form=_FORM,
    example="week:2026-W47",
    when="week",
    there=there,
    subjects=subjects,
    gather=gather,
    rules=rules,
    prompt="Write the person's digest of this week in at most ten short lines: with whom they had"
    " most to do, who is new, who still waits for an answer, what comes in the week after. Take"
    " every number from the facts.",
)
