"""A bucket of an S3-compatible store: keys are paths, and their order is the listing's own.

It is asked by the one HTTP client, so that its guard holds here too. `obstore` was tried: one key
such as `a//b` fails its whole listing, and it follows redirects wherever they lead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import msgspec

from headrace.errors import BadInput, NeedsHuman, Skip
from headrace.files import listing
from headrace.files.bucket_errors import list_error, read_error
from headrace.files.local import MANY
from headrace.files.pattern import WILD, Selection, hidden
from headrace.files.place import MOST_BYTES, Item
from headrace.files.signing import Keys, signed
from headrace.http import Answer, Client, Policy
from headrace.text import one_line

SCHEME = "s3://"
_KEYS = 1_000  # of one request
_SECONDS = 300.0  # for a large object
_REFUSED = frozenset({301, 307, 400, 401, 403, 404})


class Store(msgspec.Struct, frozen=True):
    """Where a bucket is, and with which keys it is read (None: as anybody)."""

    endpoint: str
    region: str
    keys: Keys | None = None


class Bucket:
    """What an input such as s3://bucket/prefix names: one object, or those below the prefix. Ids
    are whole keys. Made on the event loop that its requests run on, and used from other threads.
    """

    def __init__(
        self,
        named: str,
        wanted: frozenset[str],
        exclude: Sequence[str],
        store: Store,
        *,
        private_hosts: bool,
    ) -> None:
        """Raises BadInput for an endpoint that may not be called, and for no name of a bucket."""
        self._bucket, prefix, pattern = split(named)
        self._prefix = prefix
        self._selection = Selection(pattern, wanted, exclude)
        self._store = store
        self._client = client(store, private_hosts=private_hosts)
        self._loop = asyncio.get_running_loop()

    def items(self, after: str) -> Iterator[Item]:
        """See `Place`."""
        more = True
        while more:
            url = f"{self._url()}?{listing.query(self._prefix, after, _KEYS)}"
            answer = self._ask(url)
            if answer.status != 200:
                raise list_error(
                    answer,
                    self._bucket,
                    self._store.region,
                    with_keys=self._store.keys is not None,
                )
            page = listing.read(answer, after)
            for one in page.objects:
                if one.key is not None and self._takes(one.key):
                    yield Item(one.key, one.mark, one.size, one.modified)
            after, more = page.last, page.more

    def _takes(self, key: str) -> bool:
        if key == self._prefix:
            return not key.endswith("/")
        folder = (
            self._prefix if not self._prefix or self._prefix.endswith("/") else f"{self._prefix}/"
        )
        if not key.startswith(folder) or key.endswith("/"):
            return False
        path = key[len(folder) :]
        return not hidden(path) and self._selection.takes(path)

    def read(self, item: Item) -> tuple[bytes, Item]:
        """See `Place`. Raises Retry where the store is in trouble."""
        too_large = f"{one_line(item.id)} is larger than {MOST_BYTES >> 20} MB."
        if item.size > MOST_BYTES:
            raise Skip(too_large, hint="Split it, or leave it out by a pattern.")
        try:
            answer = self._ask(f"{self._url()}/{quote(item.id, safe='/-_.~')}")
        except NeedsHuman as error:
            raise Skip(f"{one_line(item.id)}: {error.message}", hint=error.hint) from None
        if answer.status != 200:
            raise read_error(answer, item.id)
        tag = answer.headers.get("ETag", "").strip('"')[:200]
        mark = f"{tag}:{len(answer.body)}" if tag else item.mark
        return answer.body, Item(item.id, mark, len(answer.body), item.modified)

    def same(self, mark: str, other: str) -> bool:
        """See `Place`."""
        return mark == other

    def keeps(self, marks: dict[str, str], *, empty: bool) -> str | None:
        """See `Place`: a prefix that was mistaken for another is empty too."""
        if empty and len(marks) >= MANY:
            return f"{SCHEME}{self._bucket}/{self._prefix} is empty, and {len(marks)} are known"
        return None

    def nothing(self) -> None:
        """See `Place`: it may fill up."""

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    def _url(self) -> str:
        return f"{self._store.endpoint.rstrip('/')}/{self._bucket}"

    def _ask(self, url: str) -> Answer:
        headers = signed(url, self._store.region, self._store.keys)
        request = self._client.request("GET", url, headers=headers, allow=_REFUSED)
        return asyncio.run_coroutine_threadsafe(request, self._loop).result()


def client(store: Store, *, private_hosts: bool) -> Client:
    """The client for a store. Raises BadInput for an endpoint that may not be called."""
    keys = store.keys
    secrets = [keys.secret_access_key, keys.session_token or ""] if keys else []
    policy = Policy(
        timeout=_SECONDS,
        max_body=MOST_BYTES,
        private_hosts=private_hosts,
        address="aws.endpoint_url",
    )
    try:
        return Client(store.endpoint, secrets=secrets, policy=policy)
    except NeedsHuman as error:
        said = error.message.replace("The base URL", "The endpoint of the bucket")
        raise BadInput(said, hint=error.hint) from None


def split(named: str) -> tuple[str, str, str | None]:
    """The bucket, the prefix and the pattern below it, if there is one. Raises BadInput."""
    bucket, _, key = named[len(SCHEME) :].partition("/")
    plain = bucket.replace("-", "").replace(".", "").replace("_", "")
    if not (plain.isascii() and plain.isalnum() and 3 <= len(bucket) <= 63) or "\0" in key:
        raise BadInput(
            f"{one_line(named)} names no bucket.", hint="Write it as s3://bucket/prefix."
        )
    parts = key.split("/")
    fixed = next((at for at, part in enumerate(parts) if WILD & set(part)), len(parts))
    if fixed == len(parts):
        return bucket, key, None
    return bucket, "".join(f"{one}/" for one in parts[:fixed]), "/".join(parts[fixed:])
