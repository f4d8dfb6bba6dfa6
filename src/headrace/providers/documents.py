"""Documents by their paths, keys, names and addresses, landed as they are; stages do the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from headrace.documents.endings import DOCUMENTS, PICTURES
from headrace.files import Place, open_place
from headrace.files.bucket import SCHEME, Bucket
from headrace.files.config import DocumentsConfig
from headrace.files.stores import store_of
from headrace.files.uploads import SCHEME as UPLOADS
from headrace.files.uploads import Kept, NothingKept, Uploads
from headrace.files.walk import Walk
from headrace.files.web import WebPage, is_web
from headrace.provider import DOCUMENT, JSON, Page, Provider, StreamPlan


class Documents(Provider):
    """One stream for each input. An unchanged file costs a stat, an object or an upload its line in
    a listing, a page a request without a body; what is deleted is forgotten, unless it went with
    everything else."""

    name: ClassVar[str] = "documents"
    kind: ClassVar[str] = "documents_ingest"
    Config: ClassVar[type[DocumentsConfig]] = DocumentsConfig
    records_per_commit: ClassVar[int | None] = 32
    settles: ClassVar[bool] = True

    config: DocumentsConfig
    uploads: Kept
    """Those of the connection's user. Whoever makes the provider sets it; until then, none."""

    def __init__(self, config: DocumentsConfig, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self.uploads = NothingKept()
        self._walks: dict[str, Walk | WebPage] = {}
        self._buckets: list[Bucket] = []

    async def streams(self) -> Sequence[StreamPlan]:
        """The inputs, each in the recipe's version of it. Raises BadInput for one not allowed."""
        recipe = self.config.recipe()
        plans = [StreamPlan(f"{named} [{recipe}]", DOCUMENT) for named in self.config.input]
        for plan in plans:
            self._walk(plan.name)
        return plans

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:  # noqa: ARG002
        """Up to 32 new or changed files, or 16 MB. Raises BadInput, NeedsHuman and Retry."""
        return await self._walk(stream).page(cursor)

    async def aclose(self) -> None:
        """Close connections to stores and web servers."""
        for page in self._walks.values():
            if isinstance(page, WebPage):
                await page.aclose()
        for bucket in self._buckets:
            await bucket.aclose()

    def _walk(self, stream: str) -> Walk | WebPage:
        if stream not in self._walks:
            named = stream.rpartition(" [")[0]
            if is_web(named):
                walk: Walk | WebPage = WebPage(
                    named, stream, self.known, private_hosts=self.private_hosts
                )
            else:
                walk = Walk(self._place(named), stream, self.known)
            self._walks[stream] = walk
        return self._walks[stream]

    def _place(self, named: str) -> Place:
        wanted = DOCUMENTS | PICTURES if self.config.parser.ocr else DOCUMENTS
        if named.startswith(UPLOADS):
            return Uploads(named, wanted, self.config.exclude, self.uploads)
        if not named.startswith(SCHEME):
            return open_place(named, wanted, self.roots, self.config.exclude)
        store = store_of(self.config.aws, self.secret, trusted=self.trusted)
        bucket = Bucket(named, wanted, self.config.exclude, store, private_hosts=self.private_hosts)
        self._buckets.append(bucket)
        return bucket
