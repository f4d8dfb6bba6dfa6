"""The keys of a job over documents, as the one text that is sealed. Each says what it was given
for, and is taken nowhere else."""

from __future__ import annotations

import msgspec

from headrace.errors import NeedsHuman
from headrace.files.signing import Keys


class VectorKey(msgspec.Struct, frozen=True):
    """What opens an index of vectors, and at which URL."""

    api_key: str
    url: str


class Credentials(msgspec.Struct, omit_defaults=True):
    """What a job was given: keys of buckets, and of an index of vectors."""

    aws: Keys | None = None
    vector_db: VectorKey | None = None

    def text(self) -> str:
        """As it is sealed."""
        return msgspec.json.encode(self).decode()


def read(secret: str | None) -> Credentials:
    """What was sealed; nothing, where nothing was given."""
    return Credentials() if secret is None else msgspec.json.decode(secret, type=Credentials)


def vector_key(url: str, secret: str | None) -> str | None:
    """The key of the index of vectors at this URL. Raises NeedsHuman for one of another URL."""
    found = read(secret).vector_db
    if found is None:
        return None
    if found.url != url:
        raise NeedsHuman(
            "The key of this connection's vector_db was given for another url.",
            hint="Give vector_db.api_key again, with the url that it is for now.",
        )
    return found.api_key
