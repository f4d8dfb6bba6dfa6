"""How much is read, kept and believed. Bytes unless the name says otherwise."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

PAGE_MESSAGES = 500
"""A page ends after this many messages ..."""
PAGE_BYTES = 4 * MIB
"""... or once its payloads reach this, whichever comes first."""

BLOCK = 256 * KIB
"""One read. Small beside a page, because what was read past a page's end is read again."""

MESSAGE_CAP = 64 * MIB
"""A larger message becomes a `BadRecord`. Gmail refuses above 50 MiB on the wire."""
KEPT_OF_OVERSIZE = 256 * KIB
"""What such a `BadRecord` keeps: enough for its headers and to see what it is."""

CALENDAR_CAP = 64 * MIB
"""A calendar file is read whole, so it has to be this small ..."""
CALENDAR_EVENTS = 250_000
"""... and hold no more events than this."""

HEAD_CAP = 256 * KIB
"""Where the cheap header scan stops looking for the end of the headers."""

ARCHIVE_ENTRIES = 150_000
ARCHIVE_DIRECTORY = 16 * MIB
"""A zip with a larger directory is refused before the directory is loaded: it costs memory."""
ARCHIVE_RATIO = 200
"""Mail packs 2:1 to 20:1; deflate's best, which only a bomb reaches, is 1032:1."""
ARCHIVE_RATIO_FROM = 64 * MIB
"""Members that unpack to less are harmless at any ratio."""

FOLDER_DEPTH = 12
FOLDER_ENTRIES = 2_000_000
