"""A stand-in for Google: OAuth, Gmail v1 and Calendar v3 behind one base URL on 127.0.0.1.

    Google(options)           the whole thing; `handle` answers any request
    serving(options)          the same over HTTP, in this event loop
    python -m headrace.twin.google --port 0 --account ada@example.com

Strict where Google is: tokens expire, an old historyId is 404, an old syncToken 410, quota units
are billed, a parameter nobody knows is refused. Tests change what accounts hold through `/admin` or
through `Google.account(...)`, and compare with `/truth`.
"""

from headrace.twin.google.options import Options, options_from
from headrace.twin.google.service import Google, serving

__all__ = ["Google", "Options", "options_from", "serving"]
