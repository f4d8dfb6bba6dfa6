"""Any cursor-paginated API, from a small spec and without code. See `headrace.rest.spec`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar, Self

import msgspec
from pydantic import BaseModel
from yarl import URL

from headrace.errors import Expired, HeadraceError, NeedsHuman, Skip
from headrace.http import Answer, Client, Clock, Policy
from headrace.http.answers import explanation
from headrace.provider import JSON, BadRecord, Page, Provider, Record, StreamPlan
from headrace.rest import ask, pagination, slices
from headrace.rest import cursor as cursors
from headrace.rest.auth import credentials
from headrace.rest.cursor import At, State
from headrace.rest.environment import spec_from_environment
from headrace.rest.pages import PageReader, Read
from headrace.rest.records import RecordReader
from headrace.rest.spec import RestSpec
from headrace.rest.stream_spec import Stream
from headrace.rest.walk import advance
from headrace.settings import Settings

_REFUSED = frozenset({400, 404, 410})
"""What APIs answer to a cursor they no longer know (R18)."""

_ABOUT_THE_KEY = (b"api key", b"api_key", b"apikey", b"unauthorized", b"authenticat")


class Rest(Provider):
    """One API as its spec describes it."""

    name: ClassVar[str] = "rest"
    kind: ClassVar[str] = "rest_sync"
    Config: ClassVar[type[BaseModel]] = RestSpec
    config: RestSpec
    clock: Clock = Clock()

    def __init__(self, config: RestSpec, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self.items_per_run = config.items_per_run
        self._client: Client | None = None
        self._readers: dict[str, PageReader] = {}

    @classmethod
    def from_environment(cls, settings: Settings) -> Self:
        """The source that API_BASE_URL, API_KEY, BATCH_SIZE and RATE_LIMIT_DELAY_MS describe.

        Raises BadInput when they do not.
        """
        spec, key = spec_from_environment(settings).without_key()
        made = cls(spec, secret=key)
        made.trusted = made.private_hosts = True
        return made

    async def streams(self) -> Sequence[StreamPlan]:
        """The streams of the spec, each with its slices."""
        return [
            StreamPlan(name=name, slices=slices.names(stream))
            for name, stream in self.config.streams.items()
        ]

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:
        """One page. Raises Retry, NeedsHuman, and Expired when a cursor is refused (R18)."""
        spec = self._stream(stream)
        if slice_ not in slices.names(spec):
            raise NeedsHuman(
                f"The stream {stream!r} has no slice {slice_!r}.",
                hint="The spec's slices have changed: start this stream again.",
            )
        state = cursors.read(cursor)
        begins = state.at is None
        state = msgspec.structs.replace(state, at=state.at or pagination.first(spec.pagination))
        now = datetime.fromtimestamp(self.clock.wall(), UTC)
        read = await self._read(stream, spec, slice_, state, begins)
        while read is None:
            state = msgspec.structs.replace(state, path=state.path + 1)
            read = await self._read(stream, spec, slice_, state, begins)
        going = self._without_key(read.next)
        notes = {"envelope": going.shape}
        if spec.pagination.style in {"offset", "page"}:
            notes["unsafe"] = "records that move during a walk can be missed until the next one"
        return Page(
            records=read.records,
            bad=read.bad,
            cursor=advance(spec, state, read.records, going, now),
            more=going.at is not None,
            notes=notes,
            left=_left(read) if begins else None,
        )

    def reread(self, stream: str, raw: bytes) -> Record:
        """A dead letter's bytes by the spec as it is now. Raises Skip where they still will not do,
        and NeedsHuman for a stream that is no longer there."""
        spec = self._stream(stream)
        one = RecordReader(spec.id, spec.time).judge(raw)
        if isinstance(one, BadRecord):
            raise Skip(one.reason, hint=one.hint)
        return one

    async def aclose(self) -> None:
        """Close the connections to the API."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _read(
        self, name: str, spec: Stream, slice_: str, state: State, begins: bool
    ) -> Read | None:
        """The page at `state`; None when its path is not there but another may be (A2.24)."""
        await self.spend(1)
        asked = ask.build(self.config, spec, slice_, state)
        reader = self._readers.get(name)
        if reader is None:
            reader = self._readers[name] = PageReader(spec, self._open().secrets)

        def parse(answer: Answer) -> Read | None:
            if answer.status < 300:
                return reader.read(answer, state.at, begins=begins)
            if begins and answer.status == 404 and state.path + 1 < len(spec.paths):
                return None
            raise self._refusal(answer, begins, state)

        return await self._open().ask(
            asked.method,
            asked.url,
            params=asked.params,
            headers=asked.headers,
            json=asked.json,
            allow=_REFUSED,
            parse=parse,
        )

    def _refusal(self, answer: Answer, begins: bool, state: State) -> HeadraceError:
        """A 400, 404 or 410: an old cursor, unless the walk just began or the key is the matter."""
        text = answer.body[:4096].lower()
        if begins or any(word in text for word in _ABOUT_THE_KEY):
            return self._open().error(answer)
        return Expired(
            f"{answer.host} no longer accepts the cursor ({answer.status})"
            f"{explanation(answer.body, self._open().secrets)}.",
            # A walk from a watermark begins there again, not at the beginning of everything.
            cursor=cursors.write(State(since=state.since, path=state.path)),
            hint="The walk begins again; what is already there is not doubled.",
        )

    def _stream(self, name: str) -> Stream:
        spec = self.config.streams.get(name)
        if spec is None:
            raise NeedsHuman(
                f"The spec has no stream {name!r}.",
                hint=f"There are: {', '.join(self.config.streams)}.",
            )
        return spec

    def _without_key(self, going: pagination.Following) -> pagination.Following:
        """Some servers repeat the key in their next link, and cursors are stored in the open."""
        name = self.config.auth.query if self.config.auth else None
        if name is None or going.at is None or going.at.url is None:
            return going
        bare = At(url=str(URL(going.at.url).without_query_params(name)))
        return msgspec.structs.replace(going, at=bare, last=bare)

    def _open(self) -> Client:
        if self._client is None:
            sent = credentials(self.config.auth, self.secret, trusted=self.trusted)
            self._client = Client(
                self.config.base_url,
                headers={**self.config.headers, **sent.headers},
                query=sent.query,
                secrets=sent.secrets,
                policy=Policy(
                    delay=self.config.delay_ms / 1000,
                    timeout=self.config.timeout_s,
                    private_hosts=self.private_hosts,
                ),
                clock=self.clock,
                limited=self.hold_off,
                heard=self.heard,
            )
        return self._client


def _left(read: Read) -> int | None:
    """How many records come after the first page of a walk."""
    if read.total is None:
        return None
    return max(0, read.total - len(read.records) - len(read.bad))
