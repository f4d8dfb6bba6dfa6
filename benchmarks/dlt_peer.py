"""dlt on the same job: run by its own environment, `python benchmarks/dlt_peer.py URL BASE PAGE`.

A resource that pages through the API and yields each page, merged into Postgres by id, as dlt's own
documentation does it. It keeps no raw rows and builds no search.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import dlt  # type: ignore[import-not-found]
from dlt.sources.helpers import requests  # type: ignore[import-not-found]


def main() -> None:
    """Run once and print the figures, as benchmarks.contenders does."""
    url, base, page = sys.argv[1], sys.argv[2], int(sys.argv[3])
    # The host in the query wins: a socket folder, which dlt has no field for.
    address = url.replace("postgres@/", "postgres:none@localhost/")

    @dlt.resource(name="events", primary_key="id", write_disposition="merge")  # type: ignore[untyped-decorator]
    def events() -> Iterator[list[dict[str, Any]]]:
        cursor = None
        while True:
            params = {"limit": page, **({"cursor": cursor} if cursor else {})}
            answer = requests.get(f"{base}/events", params=params).json()
            for one in answer["data"]:
                one["timestamp"] = str(one["timestamp"])
            yield answer["data"]
            cursor = answer["pagination"]["nextCursor"]
            if not cursor:
                return

    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=tempfile.mkdtemp(),
        destination=dlt.destinations.postgres(address),
        dataset_name="bench_dlt",
        dev_mode=True,
    )
    before = os.times()
    began = time.perf_counter()
    pipeline.run(events(), loader_file_format="csv")
    seconds = time.perf_counter() - began
    after = os.times()
    found = {
        "seconds": seconds,
        "cpu": after.user + after.system - before.user - before.system,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
