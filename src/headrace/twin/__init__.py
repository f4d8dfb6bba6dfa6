"""Stand-ins for outside services, shipped so that anyone can test, demo and measure against them.

    headrace.twin.datasync    the DataSync events API: `python -m headrace.twin.datasync --port 0`
    headrace.twin.google      Google's OAuth, Gmail and Calendar: `python -m headrace.twin.google`
    run_twin(...)             the first in a process of its own, for the length of a `with` block
    run_google(...)           the second likewise
    event_id, event_bytes     what the first serves, computed in the caller's own process

A twin is deterministic (a seed and a number give an event), strict where the original is strict,
and can be told to misbehave by a list of fault rules. It binds 127.0.0.1 only.
"""

from headrace.twin.events import Events, event_bytes, event_id
from headrace.twin.harness import run_github, run_google, run_twin

__all__ = ["Events", "event_bytes", "event_id", "run_github", "run_google", "run_twin"]
