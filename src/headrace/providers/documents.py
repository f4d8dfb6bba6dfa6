"""Folders of documents: files by their paths, landed as they are; stages do the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from headrace.documents.endings import DOCUMENTS, PICTURES
from headrace.files import Place, open_place
from headrace.files.config import DocumentsConfig
from headrace.files.walk import Walk
from headrace.provider import JSON, Page, Provider, StreamPlan

CONTENT = "application/x-document"
"""The content of the streams: any file at all."""


class Documents(Provider):
    """One stream for each input. An unchanged file costs a stat; a deleted one is forgotten, unless
    it went with everything else."""

    name: ClassVar[str] = "documents"
    kind: ClassVar[str] = "documents_ingest"
    Config: ClassVar[type[DocumentsConfig]] = DocumentsConfig
    records_per_commit: ClassVar[int | None] = 32
    settles: ClassVar[bool] = True

    config: DocumentsConfig

    def __init__(self, config: DocumentsConfig, *, secret: str | None = None) -> None:
        super().__init__(config, secret=secret)
        self._walks: dict[str, Walk] = {}

    async def streams(self) -> Sequence[StreamPlan]:
        """The inputs, each in the recipe's version of it. Raises BadInput for one not allowed."""
        for named in self.config.input:
            self._place(named)
        recipe = self.config.recipe()
        return [StreamPlan(f"{named} [{recipe}]", CONTENT) for named in self.config.input]

    async def fetch(self, stream: str, slice_: str, cursor: JSON) -> Page:  # noqa: ARG002
        """Up to 32 new or changed files, or 16 MB. Raises BadInput and NeedsHuman."""
        if stream not in self._walks:
            named = stream.rpartition(" [")[0]
            self._walks[stream] = Walk(self._place(named), stream, self.known)
        return await self._walks[stream].page(cursor)

    def _place(self, named: str) -> Place:
        wanted = DOCUMENTS | PICTURES if self.config.parser.ocr else DOCUMENTS
        return open_place(named, wanted, self.roots, self.config.exclude)
