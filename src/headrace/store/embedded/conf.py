"""The server's settings, each with its reason: what `headrace.conf` in the data folder says.

The file is written by Headrace at every start, so that an upgrade can change it. A person's own
settings belong into `postgresql.conf` beside it, below the line that includes this one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PORT = 5432
_MB = 1024 * 1024


def text(*, sockets: Path, log: Path) -> str:
    """The whole file. `sockets`, `log`: absolute folders of the server's socket and its log."""
    buffers = _between(128, _memory() // _MB // 8, 1024)
    lines = [_SETTINGS.strip()]
    lines += [
        "\n# An eighth of the memory: the rest is for Headrace, the file cache and people.",
        f"shared_buffers = {buffers}MB",
        "# What the planner may take as cached, by us and the system together.",
        f"effective_cache_size = {buffers * 4}MB",
        "# Index builds and vacuum: rare, one or two at a time.",
        f"maintenance_work_mem = {_between(64, buffers // 2, 512)}MB",
        "\n# No network: whoever may enter the socket's folder may connect, nobody else.",
        "listen_addresses = ''",
        f"port = {PORT}",
        f"unix_socket_directories = '{_quoted(sockets)}'",
        "unix_socket_permissions = 0700",
        f"log_directory = '{_quoted(log)}'",
    ]
    if sys.platform == "darwin":
        lines += [
            "\n# The only method on macOS that reaches the disk and not just the drive's cache.",
            "wal_sync_method = fsync_writethrough",
        ]
    return "\n".join(lines) + "\n"


_SETTINGS = """
# Written by Headrace at every start: changes made here are lost. Put yours into postgresql.conf.

# Exactly once rests on these: a commit that was answered has reached the disk.
fsync = on
full_page_writes = on
synchronous_commit = on

# Workers, API and dashboard each keep a small pool; an idle connection costs little.
max_connections = 200
# Reserving them fails on most machines, and a gigabyte gains nothing from them.
huge_pages = off
# A sort or hash in one query; several run at once, so small enough for a laptop.
work_mem = 16MB

# Landing writes steadily. Rare checkpoints write each page once instead of over and over, and
# need fewer full-page images in the log; the price is up to 4 GB of disk and seconds of recovery.
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
# One COPY of a page fits without waiting for the log writer.
wal_buffers = 16MB
# This build has no lz4, and pglz costs more processor time than the disk time it saves.
wal_compression = off

# Compiling takes longer than the short queries that a service runs.
jit = off
# The data sits on solid-state disks, where a random read costs hardly more than the next one ...
random_page_cost = 1.1
# ... and many reads are served at once.
effective_io_concurrency = 32

# Tables here grow and seldom change: vacuum and analyze need not come round at every twentieth
# row that is new, which would take processor time from the landing they follow.
autovacuum_vacuum_insert_scale_factor = 0.3
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.1
autovacuum_vacuum_cost_limit = 2000
# Search indexes take new rows into a list first. A longer one makes landing cheaper and each
# search a little dearer, until vacuum files it away.
gin_pending_list_limit = 32MB

# Times are stored with their zone; what a person sees is converted for them.
timezone = 'UTC'
log_timezone = 'UTC'
# The same on every machine, whatever its locale. Queries name their own.
default_text_search_config = 'pg_catalog.simple'

# One file a day, overwritten a week later.
logging_collector = on
log_filename = 'postgres-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] '
log_checkpoints = off
# Rows are people's mail: neither statements nor the values in them belong in a log.
log_min_error_statement = panic
log_error_verbosity = terse
"""


def _memory() -> int:
    """Bytes of memory we may use: the machine's, or less where a container says so."""
    try:
        installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        installed = 0
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such file, or the word "max"
        return installed
    return min(installed, limit)


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace("'", "''")
