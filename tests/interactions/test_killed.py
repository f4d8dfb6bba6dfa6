"""A worker that is killed while it embeds: what has its vectors keeps them, and the rest gets
them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

from tests.interactions.conftest import Post, wrote

from headrace.engine.chain import enqueue_stage
from headrace.engine.runtime import engine
from headrace.plugins import stages
from headrace.stages.embed_interactions import _AT_ONCE

_CHUNKS = "SELECT content_hash, position, xmin::text, body FROM headrace.chunks ORDER BY 1, 2"


def test_it_goes_on_where_it_was(post: Post) -> None:
    """Covers A1.33, A1.52: killed with SIGKILL after the first commit of three; no chunk is written
    twice, and none is missing."""
    texts = [f"Letter number {at} is a short one." for at in range(2 * _AT_ONCE + 10)]
    number = post.land(*[wrote(f"{at:03}", text) for at, text in enumerate(texts)])
    with post.database.transaction() as session:
        enqueue_stage(session, stages()["embed_interactions"], number)
    dying = subprocess.run(
        [sys.executable, "-m", "headrace.cli", "worker"],
        env={
            **os.environ,
            "DATABASE_URL": post.database.url,
            "HEADRACE_HOME": str(post.home),
            "HEADRACE_CRASH": "texts-embedded:1",
        },
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert dying.returncode == -signal.SIGKILL
    before = keyed(post)
    assert len(before) == _AT_ONCE
    done = "SELECT 1 FROM headrace.stage_runs WHERE stage = 'embed_interactions'"
    assert post.rows(done) == []
    with engine(post.database.url, post.settings):
        until = time.monotonic() + 60
        while not post.rows(done):
            assert time.monotonic() < until
            time.sleep(0.05)
    after = keyed(post)
    assert sorted(row["body"] for row in after.values()) == sorted(texts)
    assert {key: after[key] for key in before} == before


def keyed(post: Post) -> dict[Any, dict[str, Any]]:
    """The chunks, each with the transaction that has written it last."""
    return {(row["content_hash"], row["position"]): row for row in post.rows(_CHUNKS)}
