"""Events and notifications: hints, with an interval to keep between polls."""

from __future__ import annotations

from headrace.twin.github.access import require_notifications, sees
from headrace.twin.github.call import Call, Reply
from headrace.twin.github.paging import paged, read_number, read_size
from headrace.twin.github.problem import Problem
from headrace.twin.github.render.activity import event, thread
from headrace.twin.github.rows import Repository, Thread

_MOST_EVENTS = 300
_NOTIFICATIONS = 50


def list_events(call: Call) -> Reply:
    """The latest events first, 300 at most, and none before its delay is over."""
    if (read_number(call) - 1) * read_size(call, 30, 100) >= _MOST_EVENTS:
        raise Problem(422, "In order to keep the API fast, pagination is limited here.")
    newest_s = call.world.clock.now() - call.options.events_delay_s
    rows = [row for row in call.within.events if row.created_s <= newest_s]
    rows.sort(key=lambda row: (row.created_s, row.id), reverse=True)
    reply = paged(call, rows[:_MOST_EVENTS], lambda row: event(call.site, call.within, row))
    return _polled(call, reply)


def list_notifications(call: Call) -> Reply:
    """One's notifications, the latest first; `all` also those that were read."""
    require_notifications(call.caller)
    everything = call.choice("all", ("false", "true")) == "true"
    since, before = call.instant("since"), call.instant("before")
    rows: list[tuple[Repository, Thread]] = [
        (within, row)
        for within in call.world.repositories.values()
        if call.caller.login == call.world.people[0] and sees(call.caller, call.world, within)
        for row in within.threads.values()
        if (everything or row.unread)
        and (since is None or row.updated_s >= since)
        and (before is None or row.updated_s < before)
    ]
    rows.sort(key=lambda pair: (pair[1].updated_s, pair[1].id), reverse=True)
    reply = paged(
        call,
        rows,
        lambda pair: thread(call.site, *pair),
        default=_NOTIFICATIONS,
        largest=_NOTIFICATIONS,
    )
    reply.modified_s = rows[0][1].updated_s if rows else None
    return _polled(call, reply)


def _polled(call: Call, reply: Reply) -> Reply:
    reply.headers["X-Poll-Interval"] = str(call.options.poll_interval_s)
    return reply
