"""What to do next about somebody: answer, keep a promise, prepare a meeting."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from headrace.insight import MOST_CHARACTERS, Gathered, Given, Kind, Quoting, Reader, Told
from headrace.insights import letters
from headrace.insights.letters import Letter, Sources, name_of, of_contact, quotable, unanswered
from headrace.insights.wording import count, day, flat, promises

QUESTION_DAYS = 2
"""Days after which a question should have been answered."""
PROMISE_DAYS = 3
"""Days after which a promise should have been kept."""
AHEAD = timedelta(hours=36)
"""How far ahead a meeting is tomorrow's."""
_LATE = timedelta(days=60)
"""What is older than this, nobody waits for any more."""

# Appointments with one of a contact's addresses. A series counts by its first day only: it is kept
# as written, and not expanded.
_MEETINGS = """
SELECT e.stream_id, e.source_id, e.version, e.occurred_at, e.title,
  left(e.description, %(characters)s) AS description
FROM headrace.calendar_events e
WHERE e.tenant_id = %(tenant)s AND e.user_id = %(user)s
  AND e.occurred_at BETWEEN %(now)s AND %(until)s AND e.status IS DISTINCT FROM 'cancelled'
  AND EXISTS (SELECT FROM headrace.contact_identities c WHERE c.tenant_id = %(tenant)s
    AND c.user_id = %(user)s AND c.contact_id = %(contact)s AND c.kind = 'email'
    AND c.value = ANY(e.attendees || e.organizer))
ORDER BY e.occurred_at, e.source_id LIMIT 3
"""


def gather(reader: Reader, subject: str) -> Gathered | None:
    """What is open between the owner and a contact; None where nothing is."""
    who = letters.contact(reader, subject)
    if who is None:
        return None
    found = of_contact(reader, who["contact_id"])
    sources = Sources()
    facts = {
        "name": name_of(who),
        "meetings": _meetings(reader, who, found, sources),
        "unanswered": _unanswered(reader.now, found, sources),
        "promised": _promised(reader.now, found, sources),
    }
    if not (facts["meetings"] or facts["unanswered"] or facts["promised"]):
        return None
    for one in found[:5]:
        sources.add(one.given())
    return Gathered(f"contact:{who['contact_id']}", facts, sources.given)


def _unanswered(now: datetime, found: list[Letter], sources: Sources) -> list[dict[str, Any]]:
    open_ = []
    for one, asked in unanswered(found):
        if _ago(one, now, QUESTION_DAYS) and (number := sources.add(one.given())):
            open_.append({"source": number, "on": one.occurred_at, "quote": asked[0]})
    return open_[:3]


def _promised(now: datetime, found: list[Letter], sources: Sources) -> list[dict[str, Any]]:
    """What the owner said they would do in the last thing that they wrote to a thread."""
    seen: set[tuple[object, ...]] = set()
    open_ = []
    for one in found:
        if not one.mine or one.thread in seen:
            continue
        seen.add(one.thread)
        made = promises(one.text)
        if made and _ago(one, now, PROMISE_DAYS) and (number := sources.add(one.given())):
            open_.append({"source": number, "on": one.occurred_at, "quote": made[0]})
    return open_[:3]


def _meetings(
    reader: Reader, who: dict[str, Any], found: list[Letter], sources: Sources
) -> list[dict[str, Any]]:
    """Those of tomorrow that say nothing of what they are about."""
    rows = reader.rows(
        _MEETINGS,
        contact=who["contact_id"],
        now=reader.now,
        until=reader.now + AHEAD,
        characters=MOST_CHARACTERS,
    )
    open_ = []
    for row in rows:
        if (row["description"] or "").strip() or not (row["title"] or "").strip():
            continue
        at = (row["stream_id"], row["source_id"], row["version"], row["occurred_at"])
        one = Given(*at, None, None, row["title"])
        if number := sources.add(one):
            wrote = next((x.occurred_at for x in found if x.kind != "meeting_created"), None)
            said = {"source": number, "at": row["occurred_at"], "quote": quotable(one)}
            open_.append({**said, "last_wrote": wrote})
    return open_


def _ago(one: Letter, now: datetime, days: int) -> bool:
    if one.occurred_at is None:
        return False
    return timedelta(days=days) <= now - one.occurred_at <= _LATE


def rules(gathered: Gathered) -> Told:
    """The meeting first, for it cannot wait; then who waits, then what was promised."""
    facts = gathered.facts
    name = facts["name"]
    lines, actions, quoted = [], [], []
    for one in facts["meetings"]:
        wrote = f" You last wrote on {day(one['last_wrote'])}." if one["last_wrote"] else ""
        lines.append(f"You meet {name} on {day(one['at'])}, and nothing is noted for it.{wrote}")
        actions.append(f"Note what you want of {flat(one['quote'], 80)} before it begins")
        quoted.append(Quoting(one["source"], one["quote"]))
    for one in facts["unanswered"]:
        lines.append(f"A question of {day(one['on'])} is not answered: {flat(one['quote'])}")
        actions.append(f"Answer {name}: {flat(one['quote'])}")
        quoted.append(Quoting(one["source"], one["quote"]))
    for one in facts["promised"]:
        lines.append(f"You wrote on {day(one['on'])}, and nothing since: {flat(one['quote'])}")
        actions.append(f"Do what you promised {name}, or say when: {flat(one['quote'])}")
        quoted.append(Quoting(one["source"], one["quote"]))
    urgent, waits = bool(facts["meetings"]), bool(facts["unanswered"])
    return Told(
        title=flat(f"{name}: {count(len(lines), 'thing')} to do", 200),
        summary="\n".join(lines),
        confidence=0.8 if urgent else 0.6,
        priority="urgent" if urgent else "high" if waits else "medium",
        actions=[flat(one, 300) for one in actions[:5]],
        sources=quoted,
    )


next_best_action = Kind(
    name="next_best_action",
    form=letters.CONTACT,
    example=letters.CONTACT_EXAMPLE,
    there=letters.contact_there,
    subjects=letters.recent_contacts,
    gather=gather,
    rules=rules,
    prompt="Say what the person should do next about this contact: the one most useful thing"
    " first. The facts name questions without an answer, promises of the person that nothing has"
    " followed, and meetings of tomorrow without notes. Leave out what the sources show to be"
    " settled. Urgent is a meeting within a day, high is somebody who waits.",
)
