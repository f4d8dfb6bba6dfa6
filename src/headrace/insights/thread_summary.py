"""What a conversation is about, who wrote when, and what is still open."""

from __future__ import annotations

from headrace.insight import Gathered, Kind, Quoting, Reader, Told
from headrace.insights.letters import Sources, of_thread, quotable, unanswered
from headrace.insights.wording import count, day, flat, listed, told

_NEWEST = 2
"""Messages whose first sentences are told."""
_LOOKED_AT = 2000

# Conversations with more than one message of a person, the newest first.
_RECENT = """
SELECT thread_id, max(occurred_at) AS newest
FROM (
  SELECT i.thread_id, i.occurred_at FROM headrace.interactions i
  WHERE i.tenant_id = %(tenant)s AND i.user_id = %(user)s AND i.occurred_at <= %(now)s
    AND i.thread_id <> '' AND length(i.thread_id) <= 900 AND i.automated IS NULL
  ORDER BY i.occurred_at DESC LIMIT %(looked_at)s
) recent
GROUP BY thread_id HAVING count(*) > 1 ORDER BY 2 DESC, 1 LIMIT %(limit)s
"""

_THERE = """
SELECT FROM headrace.interactions
WHERE tenant_id = %(tenant)s AND user_id = %(user)s AND thread_id = %(thread)s LIMIT 1
"""


def subjects(reader: Reader, limit: int) -> list[str]:
    """The conversations in which somebody wrote last."""
    found = reader.rows(_RECENT, now=reader.now, looked_at=_LOOKED_AT, limit=limit)
    return [f"thread:{row['thread_id']}" for row in found]


def there(reader: Reader, subject: str) -> bool:
    """Whether there is such a conversation."""
    return bool(reader.rows(_THERE, thread=subject.removeprefix("thread:")))


def gather(reader: Reader, subject: str) -> Gathered | None:
    """Its newest messages, and the questions nobody has answered."""
    found = of_thread(reader, subject.removeprefix("thread:"))
    if not found:
        return None
    sources = Sources()
    for one in found:
        sources.add(one.given())
    if not sources.given:
        return None
    people: dict[str, int] = {}
    for one in reversed(found):
        people[one.who] = people.get(one.who, 0) + 1
    open_ = []
    for one, asked in unanswered(found):
        if number := sources.add(one.given()):
            open_.append({"source": number, "from": one.who, "questions": asked[:3]})
    facts = {
        "title": next((one.subject for one in reversed(found) if one.subject), "No subject"),
        "messages": len(found),
        "by": people,
        "first": found[-1].occurred_at,
        "last": found[0].occurred_at,
        "open": open_,
    }
    return Gathered(subject, facts, sources.given)


def rules(gathered: Gathered) -> Told:
    """Who wrote when, the first sentences of the newest messages, and the open questions."""
    facts, given = gathered.facts, gathered.given
    between = (
        f"{count(facts['messages'], 'message')} between {listed(list(facts['by']))},"
        f" {day(facts['first'])} to {day(facts['last'])}."
    )
    lines = [between]
    quoted = []
    for number, one in list(enumerate(given, 1))[:_NEWEST]:
        quoted.append(Quoting(number, next(told(one.text.partition("\n")[2]), quotable(one))))
        verb = "wrote last" if number == 1 else "before that"
        who = "You" if one.who == "you" else one.who or "Somebody"
        lines.append(f"{who} {verb}, on {day(one.occurred_at)}: {flat(quoted[-1].quote)}")
    actions = []
    for one in facts["open"]:
        for asked in one["questions"]:
            lines.append(f"Open: {flat(asked)}")
            actions.append(f"Answer {one['from']}: {flat(asked)}")
            quoted.append(Quoting(one["source"], asked))
    return Told(
        title=flat(facts["title"], 200),
        summary="\n".join(lines),
        confidence=0.7 if facts["messages"] <= len(given) else 0.5,  # all was read, or not
        priority="high" if facts["open"] else "low",
        actions=actions[:5],
        sources=quoted[:12],
    )


thread_summary = Kind(
    name="thread_summary",
    form=r"thread:.+",
    example="thread:18c2f0a1b2c3d4e5",
    there=there,
    subjects=subjects,
    gather=gather,
    rules=rules,
    prompt="Sum up this conversation: what it is about, what has been agreed, who waits for what."
    " Name every question that nobody has answered. The priority is high when somebody waits for"
    " an answer of the person, low when nothing is open.",
)
