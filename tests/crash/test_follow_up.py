"""Mail whose follow-up work was lost with its worker: it is found, and finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from headrace.engine.sweep import sweep
from headrace.plugins import steps
from headrace.store.database import Database

MAIL = b"""From ann@example.org Mon Jan  5 10:00:00 2026
From: Ann Lee <ann@example.org>
To: me@example.org
Subject: Tea at four
Message-ID: <tea@example.org>
Date: Mon, 5 Jan 2026 10:00:00 +0000

Come.
"""

_LACKING = """
SELECT n.stage FROM headrace.batches b, unnest(%s::text[]) AS n (stage)
WHERE NOT EXISTS (SELECT FROM headrace.stage_runs r
  WHERE r.batch_id = b.batch_id AND r.stage = n.stage)
"""


def command(url: str, home: Path, *line: str, crash: str = "") -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DATABASE_URL": url, "HEADRACE_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-m", "headrace.cli", *line],
        env={**environment, "HEADRACE_CRASH": crash},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("crash", ["before-stage:1", "in-stage:1", "after-stage:1", "in-stage:2"])
def test_a_chain_that_was_lost_is_finished(
    engine_database: str, tmp_path: Path, crash: str
) -> None:
    """Covers A3.1, A3.47: killed before, in and between the stages of a batch, and whatever the
    engine knew of it is gone; the sweeper goes by the tables, and every stage is run."""
    box = tmp_path / "mail.mbox"
    box.write_bytes(MAIL)
    chain = [one.stage.name for one in steps("message/rfc822")]
    if crash == "in-stage:2" and len(chain) < 2:
        pytest.skip("Mail has one stage.")
    dying = command(engine_database, tmp_path, "ingest", str(box), crash=crash)
    assert dying.wait(60) == -signal.SIGKILL
    with psycopg.connect(engine_database, autocommit=True) as line:
        assert line.execute("SELECT count(*) FROM headrace.batches").fetchone() == (1,)
        line.execute("DELETE FROM dbos.workflow_status WHERE workflow_uuid LIKE 'stage:%'")
        wanting = len(line.execute(_LACKING, [chain]).fetchall())
        database = Database(engine_database, name="sweeper").open()
        try:
            assert bool(sweep(database, quiet=0)[1]) == bool(wanting)
        finally:
            database.close()
        worker = command(engine_database, tmp_path, "worker")
        try:
            while line.execute(_LACKING, [chain]).fetchall():
                assert worker.poll() is None
                time.sleep(0.05)
        finally:
            worker.terminate()
            worker.wait(30)
        assert line.execute("SELECT count(*) FROM headrace.interactions").fetchone() == (1,)
