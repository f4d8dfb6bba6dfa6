"""The GitHub twin: a strict stand-in for the part of GitHub's REST API that a sync needs.

    python -m headrace.twin.github --port 0     as a program
    serving(options)                            in this event loop
    GitHub(options)                             without HTTP: `handle(request)`, `change(...)`
    fingerprint(shape)                          the digest that /truth has of an object

It asks for what GitHub asks for (a User-Agent, a token that is still good, the permission), keeps
GitHub's limits, and changes while it is read: POST /admin/change at once, POST /admin/during right
before the n-th request for a call. GET /truth says what a complete copy holds.
"""

from headrace.twin.github.options import Options, TokenSpec, options_from
from headrace.twin.github.run import main, serving
from headrace.twin.github.service import GitHub
from headrace.twin.github.truth import fingerprint

__all__ = [
    "GitHub",
    "Options",
    "TokenSpec",
    "fingerprint",
    "main",
    "options_from",
    "serving",
]
