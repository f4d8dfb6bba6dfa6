"""The how-tos of programs that ask for jobs: what they show is run, as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.ingestion.conftest import write
from tests.ingestion.services import KEY, Services

from headrace.client import Client
from headrace.engine import intake
from headrace.settings import Settings
from headrace.store.database import connect
from headrace.twin import run_twin

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
SPEC = """\
name: {name}
base_url: {base}
streams: {{events: {{path: /events, time: timestamp}}}}
"""


def blocks(language: str, page: str = "ingest-from-a-workflow.md") -> list[str]:
    """The page's blocks of a language."""
    text = (PAGES / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_what_the_page_shows_works(service: Services, client: Client, root: Path) -> None:
    """Covers A4.3, A4.14: the requests by hand, those from Python, and a workflow that is one."""
    folder = root / "page"
    folder.mkdir()
    write(folder / "sugar.md", "# Sugar\n\nSugar is sweet.\n")
    environment = {**os.environ, "INGESTION_URL": service.url, "HEADRACE_API_KEY": KEY}
    environment["FOLDER"] = str(folder)

    def says(*command: str) -> str:
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    [by_hand] = blocks("sh")
    asked = says("bash", "-ec", by_hand)
    assert '"status":"PENDING"' in asked
    assert '"items":[' in asked
    [job] = [one for one in client.list() if one.job_id in asked]
    from_python, workflow = blocks("python")
    assert says(sys.executable, "-c", from_python).startswith("SUCCEEDED {'files_processed': ")
    assert client.get_ingestion(job.job_id).status == "SUCCEEDED"
    says(sys.executable, "-c", f"{workflow}\nassert answers_from_documents")


def test_jobs_are_ordered_as_the_page_says(service: Services, tmp_path: Path) -> None:
    """Covers A3.44: a graph by one request, worked through in its order, and drawn."""
    environment = {**os.environ, "URL": service.url, "HEADRACE_API_KEY": KEY}
    environment |= {"DATABASE_URL": service.database, "HEADRACE_HOME": str(tmp_path)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"

    def says(command: str) -> str:
        ran = subprocess.run(
            ["bash", "-ec", command], env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    ask, look = blocks("sh", "job-graphs.md")
    with run_twin(total=50) as base, connect(service.database) as line:
        for name in ("shop", "orders", "refunds"):
            spec = tmp_path / f"{name}.yaml"
            spec.write_text(SPEC.format(name=name, base=base), "utf-8")
            wanted = intake.rest_spec(spec)
            intake.connect(line, "default", "me", wanted, Settings(_env_file=None))
        made = json.loads(says(ask))["jobs"]
        left = "SELECT job_id FROM headrace.jobs WHERE completed_at IS NULL"
        end = time.monotonic() + 60
        while line.execute(left).fetchall():
            assert time.monotonic() < end
            time.sleep(0.05)
    said = says(look)
    answer, end_of_it = json.JSONDecoder().raw_decode(said)
    drawn = said[end_of_it:]
    assert len(answer["edges"]) == 4
    lines = [line.split(": ")[0] for line in drawn.splitlines()]
    depth = [0, 1, 1, 2]
    assert [len(line) - len(line.lstrip()) for line in lines] == [2 * deep for deep in depth]
    assert [line.split()[0] for line in lines] == list(made.values())
    assert drawn.count("SUCCEEDED") == 4
