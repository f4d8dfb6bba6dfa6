"""What a soak syncs: an account of each provider and a feed, which change and fail meanwhile; and
how their tables are held against them in the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any
from urllib.error import HTTPError

from benchmarks.accounts_cases import FREE, ask
from headrace.engine import intake, jobs
from headrace.oauth.sealed import Kept, seal
from headrace.plugins import provider
from headrace.settings import Settings
from headrace.store import connections, grants
from headrace.store.database import Connection
from headrace.twin import run_github, run_google, run_twin
from headrace.twin.events import Events
from headrace.twin.github import fingerprint
from headrace.vault import Vault

MINE: dict[str, Any] = {"tenant": "default", "user": "me"}
RECORDS, EDITS = 5_000, 0.05
_HIDDEN = {"SPAM", "TRASH", "DRAFT"}
_SPEC = """\
name: feed
base_url: {base}
streams:
  events: {{path: /events, time: timestamp, limit: {{value: 200}}}}
"""

_NEWEST = """
SELECT DISTINCT ON (r.stream_id, r.source_id) s.name AS stream, r.source_id, r.payload,
  r.content_hash
FROM headrace.raw_events r JOIN headrace.streams s USING (tenant_id, stream_id)
WHERE s.connection_id = %s ORDER BY r.stream_id, r.source_id, r.version DESC
"""
_SHOWN = """
SELECT t.source_id FROM headrace.interactions t JOIN headrace.streams s USING (tenant_id, stream_id)
WHERE s.connection_id = %s
"""

Found = dict[Any, Any]
"""What there is, or what is here: by name, whatever tells that it is the same."""


def rules(share: float, statuses: Sequence[int]) -> list[dict[str, Any]]:
    """So many of a hundred calls fail: a refusal, a connection reset, an answer cut in half."""
    each = share / (len(statuses) + 2)
    dos: list[dict[str, Any]] = [{"kind": "answer", "status": one} for one in statuses]
    dos += [{"kind": "reset"}, {"kind": "truncate"}]
    return [{"on": {"probability": each}, "do": do} for do in dos]


class Sources:
    """The twins, as processes of their own, and a connection to each account."""

    def __init__(self, stack: ExitStack) -> None:
        calm = {"user_units": FREE, "project_units": FREE}
        calm |= {"user_requests": FREE, "project_requests": FREE}
        self.google = stack.enter_context(run_google(messages=300, events=150, **calm))
        self.github = stack.enter_context(
            run_github(issues=60, repositories=2, rate_limit=FREE, points_per_minute=FREE)
        )
        self.feed = stack.enter_context(run_twin(total=RECORDS, edits=EDITS, latency_ms=20))
        self.ids: dict[str, str] = {}
        self._revision = 0
        self._made = 0

    def environment(self) -> dict[str, str]:
        """Where workers find them."""
        return {
            "GMAIL_BASE_URL": self.google,
            "GOOGLE_CALENDAR_BASE_URL": self.google,
            "GITHUB_BASE_URL": self.github,
            "GOOGLE_TOKEN_URL": f"{self.google}/token",
            "GOOGLE_CLIENT_ID": "headrace.apps.googleusercontent.com",
            "GOOGLE_CLIENT_SECRET": "GOCSPX-twin",
        }

    def connect(self, session: Connection, settings: Settings, folder: Path) -> None:
        """Make the connections."""
        vault = Vault.from_settings(settings)
        for name in ("gmail", "google_calendar"):
            per_minute = "units_per_minute" if name == "gmail" else "requests_per_minute"
            config = {"items_per_run": None, "pause_ms": 0, per_minute: FREE}
            row = connections.save(session, **MINE, provider=name, name=name, config=config)
            scopes = [*provider(name).scopes]
            tokens = ask(self.google, "/admin/grant", {"scopes": scopes})
            grant = grants.save(
                session, **MINE, issuer="google", account=f"{name}@example.com", scopes=scopes
            )
            kept = Kept(tokens["access_token"], tokens["refresh_token"])
            sealed = seal(vault, "default", grant, kept)
            grants.keep(session, "default", grant, sealed, seconds=3_600)
            session.execute(
                "UPDATE headrace.connections SET grant_id = %s WHERE connection_id = %s",
                [grant, row["connection_id"]],
            )
            self.ids[name] = row["connection_id"]
        config = {"items_per_run": None, "requests_per_minute": FREE}
        row = connections.save(session, **MINE, provider="github", name="github", config=config)
        key = vault.seal("ghp_twin", tenant="default", connection=row["connection_id"])
        connections.seal(session, row["connection_id"], key)
        self.ids["github"] = row["connection_id"]
        spec = folder / "feed.yaml"
        spec.write_text(_SPEC.format(base=self.feed))
        row = intake.connect(session, "default", "me", intake.rest_spec(spec), settings)
        self.ids["rest"] = row["connection_id"]

    def submit(self, session: Connection, name: str) -> str:
        """A sync of it; the one under way, if there is one."""
        kind = provider(name).kind
        row, _ = jobs.submit(session, **MINE, kind=kind, connection_id=self.ids[name])
        return str(row["job_id"])

    def fail(self, share: float) -> None:
        """From now on this share of all calls goes wrong."""
        ask(self.google, "/admin/faults", rules(share, (429, 500, 503)) if share else [])
        ask(self.github, "/admin/faults", rules(share, (500, 502)) if share else [])
        ask(self.feed, "/admin/faults", rules(share, (429, 500, 503)) if share else [])

    def change(self, random: Random) -> None:
        """Something happens in each account; what cannot, does not."""
        self._made += 1
        nth = random.randrange(100)
        mail = random.choice(
            [
                {"do": "deliver", "n": 3},
                {"do": "label", "nth": nth, "labels": ["STARRED"]},
                {"do": "unlabel", "nth": nth, "labels": ["STARRED"]},
                {"do": "trash", "nth": nth},
                {"do": "delete", "nth": nth},
            ]
        )
        dates = random.choice(
            [
                {"do": "insert", "n": 2},
                {"do": "patch", "nth": nth, "event": {"summary": f"Title {self._made}"}},
                {"do": "move", "nth": nth, "minutes": 30},
                {"do": "cancel", "nth": nth},
            ]
        )
        repos = [int(one) for one in ask(self.github, "/truth")]
        code: dict[str, Any] = random.choice(
            [
                {"do": "open_issue", "user": "ada"},
                {"do": "edit_issue", "number": 1 + nth % 50, "title": f"Title {self._made}"},
                {"do": "comment", "number": 1 + nth % 50},
                {"do": "push"},
            ]
        )
        code["repo"] = random.choice(repos)
        self._revision += self._made % 20 == 0
        for base, path, body in (
            (self.google, "/admin/gmail", [mail]),
            (self.google, "/admin/calendar", [dates]),
            (self.github, "/admin/change", [code]),
            (self.feed, "/admin/revision", {"revision": self._revision}),
        ):
            try:
                ask(base, path, body)
            except HTTPError as error:
                error.close()  # such a message, event or issue there is not any more

    def differences(self, session: Connection) -> dict[str, tuple[int, int, int]]:
        """By provider: what is there and not here, here and not there, and not the same."""
        return {name: _differ(*self._both(session, name)) for name in self.ids}

    def _both(self, session: Connection, name: str) -> tuple[Found, Found]:
        rows = session.execute(_NEWEST.encode(), [self.ids[name]]).fetchall()
        live = [row for row in rows if row["content_hash"]]
        there: Found = {}
        here: Found = {}
        match name:
            case "gmail":
                truth = ask(self.google, "/truth/gmail/").items()
                there = {i: sorted(one["labelIds"]) for i, one in truth}
                there = {i: labels for i, labels in there.items() if not _HIDDEN & set(labels)}
                here = {row["source_id"]: sorted(_labels(row)) for row in live}
                shown = session.execute(
                    _SHOWN.format(table="interactions").encode(), [self.ids[name]]
                )
                here |= dict.fromkeys(here.keys() ^ {r["source_id"] for r in shown}, "not shown")
            case "google_calendar":
                for calendar, events in ask(self.google, "/truth/calendar/").items():
                    there |= {(calendar, i): one["etag"] for i, one in events.items()}
                here = {
                    (row["stream"], row["source_id"]): json.loads(bytes(row["payload"]))["etag"]
                    for row in live
                    if row["stream"] != "calendars"
                }
            case "github":
                for number, kinds in ask(self.github, "/truth").items():
                    for kind, facts in kinds.items():
                        if kind in ("repository", "pulls"):
                            continue
                        stream = kind if kind == "notifications" else f"{number}/{kind}"
                        there |= {(stream, i): one["sha256"] for i, one in facts.items()}
                for row in live:
                    shape = json.loads(bytes(row["payload"]))
                    here[row["stream"], shape.get("node_id") or shape["id"]] = fingerprint(shape)
            case "rest":
                events = Events(1, EDITS, self._revision)
                there = dict(zip(events.ids(0, RECORDS), events.rows(0, RECORDS), strict=True))
                here = {row["source_id"]: bytes(row["payload"]) for row in live}
        return there, here


def _labels(row: Any) -> list[str]:
    return list(json.loads(bytes(row["payload"])).get("labelIds", ()))


def _differ(there: Found, here: Found) -> tuple[int, int, int]:
    both = there.keys() & here.keys()
    return (
        len(there.keys() - both),
        len(here.keys() - both),
        sum(there[one] != here[one] for one in both),
    )
