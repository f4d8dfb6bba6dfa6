"""The how-to: what it shows is run, as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.ingestion.conftest import write
from tests.ingestion.services import KEY, Services

from headrace.client import Client

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "ingest-from-a-workflow.md"


def blocks(language: str) -> list[str]:
    """The page's blocks of a language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


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
