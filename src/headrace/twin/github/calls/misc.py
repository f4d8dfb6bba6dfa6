"""What is left of the limits, and GraphQL as far as a test has written its answers."""

from __future__ import annotations

from headrace.twin.github.access import require_person
from headrace.twin.github.call import Call, Reply


def get_rate_limit(call: Call) -> Reply:
    """The state of the limits; asking is free."""
    core, graphql = (call.quota.state(call.caller.account, name) for name in ("core", "graphql"))
    return Reply({"resources": {"core": core, "search": core, "graphql": graphql}, "rate": core})


def answer_graphql(call: Call) -> Reply:
    """The next answer that was scripted, with 200 whatever it says; the last one again and again.

    Without any, an error that says so: there is no query language here.
    """
    if call.caller.kind != "installation":
        require_person(call.caller)
    if not call.graphql:
        error = {"type": "NOT_SCRIPTED", "message": "Set answers with POST /admin/graphql."}
        return Reply({"data": None, "errors": [error]})
    return Reply(call.graphql.pop(0) if len(call.graphql) > 1 else call.graphql[0])
