"""Folders, archives, pages and buckets through the real engine: landed, shown, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
from moto.server import ThreadedMotoServer
from tests.files.conftest import Shelf, Web, put
from tests.files.test_archives import zip_of

_HTML = "<html><body><h1>Otters</h1><p>Otters live in rivers.</p></body></html>"


def _outs(shelf: Shelf, job: dict[str, Any], stage: str = "embed") -> int:
    """What a stage wrote for a job, as its own table says."""
    [row] = shelf.rows(
        "SELECT coalesce(sum(r.rows_out), 0) AS n FROM headrace.stage_runs r"
        " JOIN headrace.batches b USING (tenant_id, batch_id) WHERE b.job_id = %s AND r.stage = %s",
        job["job_id"],
        stage,
    )
    return int(row["n"])


def test_a_folder_from_the_first_run_to_the_last_file(
    shelf: Shelf, web: Web, tmp_path: Path
) -> None:
    """Covers A4.1: several types; unchanged, edited, renamed, deleted, each costs what it must."""
    root = tmp_path / "docs"
    long_ = "\n\n".join(f"Paragraph {n} speaks of subject {n} at length. " * 12 for n in range(12))
    put(root / "a.md", f"# Rivers\n\n{long_}")
    put(root / "b.html", _HTML)
    put(root / "c.txt", "Plain words on beavers.")
    put(root / "d.csv", "animal,legs\nheron,2\n")
    put(root / "in/e.json", '{"animal": "newt"}')
    config = {"input": str(root)}

    first = shelf.ingest(config)
    assert first["status"] == "SUCCEEDED"
    assert set(shelf.shown()) == {"a.md", "b.html", "c.txt", "d.csv", "in/e.json"}
    assert "beavers" in shelf.shown()["c.txt"]
    chunks = _outs(shelf, first, "chunk")
    assert _outs(shelf, first) == chunks == len(web.embedded) > 10

    again = shelf.ingest(config)
    assert again["summary"]["inserted"] == 0
    assert again["summary"]["unchanged"] == 5
    assert _outs(shelf, again) == 0

    put(root / "a.md", f"# Rivers\n\n{long_}".replace("subject 6", "matter 6"))
    edited = shelf.ingest(config)
    assert edited["summary"]["inserted"] == 1
    assert 0 < _outs(shelf, edited) <= 4 < chunks
    assert "matter 6" in shelf.shown()["a.md"]
    assert "subject 6" not in shelf.shown()["a.md"]

    (root / "c.txt").rename(root / "z.txt")
    renamed = shelf.ingest(config)
    assert _outs(shelf, renamed) == 0
    assert "beavers" in shelf.shown()["z.txt"]
    assert "c.txt" not in shelf.shown()

    (root / "b.html").unlink()
    shelf.ingest(config)
    assert set(shelf.shown()) == {"a.md", "d.csv", "in/e.json", "z.txt"}
    [left] = shelf.rows("SELECT count(*) AS n FROM headrace.chunks WHERE body LIKE '%%Otters%%'")
    assert left["n"] == 0


def test_an_emptied_root_keeps_all(shelf: Shelf, tmp_path: Path) -> None:
    """And a dead letter says so."""
    root = tmp_path / "docs"
    for n in range(12):
        put(root / f"{n}.txt", f"text {n}")
    shelf.ingest({"input": str(root)})
    for one in root.iterdir():
        one.unlink()
    job = shelf.ingest({"input": str(root)})
    assert job["status"] == "SUCCEEDED"
    assert len(shelf.shown()) == 12
    [reason] = shelf.letters().values()
    assert "is empty" in reason
    assert "nothing was deleted" in reason


def test_an_archive_and_a_page(shelf: Shelf, web: Web, tmp_path: Path) -> None:
    """Both read for what they hold; a second run brings nothing, and says so."""
    put(tmp_path / "docs/r.zip", zip_of({"2024/a.html": _HTML, "b.txt": "On newts.", "c.zip": "x"}))
    web.pages["/page"] = (200, {"ETag": '"1"'}, _HTML.replace("Otters", "Herons").encode())
    config = {"input": [str(tmp_path / "docs"), f"{web.url}/page?x=1"]}
    shelf.ingest(config)
    shown = shelf.shown()
    assert set(shown) == {"r.zip!/2024/a.html", "r.zip!/b.txt", f"{web.url}/page?x=1"}
    assert "Herons live" in shown[f"{web.url}/page?x=1"]
    assert "<p>" not in shown[f"{web.url}/page?x=1"]
    assert "archive inside of an archive" in shelf.letters()["r.zip!/c.zip"]
    again = shelf.ingest(config)
    assert (again["summary"]["inserted"], again["summary"]["unchanged"]) == (0, 3)
    web.pages["/page"] = (410, {}, b"")
    shelf.ingest(config)
    assert set(shelf.shown()) == {"r.zip!/2024/a.html", "r.zip!/b.txt"}


def test_a_bucket_whose_keys_are_sealed(shelf: Shelf, capfd: Any) -> None:
    """They read the bucket, and stand nowhere: not in a table, a payload, a log or an error."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        keys = {"aws_access_key_id": "CANARY-ID-1", "aws_secret_access_key": "CANARY-SECRET-2"}
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)
        client.create_bucket(Bucket="papers")
        client.put_object(Bucket="papers", Key="in/a.txt", Body=b"On otters.")
        aws = {
            "input_bucket": "papers",
            "endpoint_url": url,
            "access_key_id": "CANARY-ID-1",
            "secret_access_key": "CANARY-SECRET-2",
        }
        job = shelf.ingest({"mode": "s3", "input": ["in/"], "aws": aws})
        assert job["status"] == "SUCCEEDED"
        assert shelf.shown() == {"in/a.txt": "On otters."}
        again = shelf.ingest({"mode": "s3", "input": ["in/"], "aws": aws})
        assert (again["summary"]["inserted"], again["summary"]["unchanged"]) == (0, 1)
        failed = shelf.ingest({"mode": "s3", "input": ["s3://nowhere"], "aws": aws})
    finally:
        server.stop()
    assert failed["status"] == "FAILED"
    assert "no bucket nowhere" in failed["last_error"]
    for table in shelf.rows(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables"
        " WHERE table_schema IN ('headrace', 'dbos') AND table_type = 'BASE TABLE'"
    ):
        for row in shelf.rows(f"SELECT t::text AS row FROM {table['name']} t"):
            assert "CANARY" not in row["row"], table
    assert "CANARY" not in "".join(capfd.readouterr())


def test_a_callers_endpoint_stays_public(shelf: Shelf) -> None:
    """Covers CVE-2025-56520: one on a private address is refused before anything is asked, and so
    is a page there."""
    for config in (
        {"input": "s3://papers", "aws": {"endpoint_url": "https://127.0.0.1"}},
        {"input": "https://127.0.0.1/page"},
    ):
        job = shelf.ingest(config, trusted=False)
        assert job["status"] == "FAILED"
        assert "not at a public address" in job["last_error"]
