"""What the service says of itself: OpenAPI, and docs/reference/http.md."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient
from tests.api.test_auth import OPEN, routes

if TYPE_CHECKING:
    from tests.api.conftest import House

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"


def test_the_page_names_every_route_and_no_other(nobody: TestClient) -> None:
    """The same methods and paths, word for word."""
    named = re.findall(r"^\| `([A-Z]+) (/\S*)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(routes(nobody.app))


def described(client: TestClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_every_operation_describes_its_errors(client: TestClient) -> None:
    for path, methods in described(client)["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation.get("description"), where
            wanted = {"503"} if path in OPEN else {"401", "422", "503"}
            for status in wanted | ({"404"} if "{" in path else set()):
                content = operation["responses"][status]["content"]
                assert list(content) == ["application/problem+json"], where
            assert bool(operation.get("security")) == (path not in OPEN), where


def test_every_reference_leads_somewhere(client: TestClient) -> None:
    made = described(client)
    for name in re.findall(r"#/components/schemas/(\w+)", str(made)):
        assert name in made["components"]["schemas"]
    assert "HTTPValidationError" not in made["components"]["schemas"]


def test_examples_hold_no_secret(house: House, client: TestClient) -> None:
    """Neither a key that works nor the places things are kept at."""
    text = client.get("/openapi.json").text
    assert not re.search(r"hr_[\w-]{8}", text)
    assert house.store.url not in text
    assert str(Path.home()) + "/" not in text


def test_importing_it_connects_to_nothing() -> None:
    """Covers A4.13: `headrace.api:app` is there at once, whatever the settings say."""
    code = "from headrace.api import app; import sys; print(app.title, 'dbos' in sys.modules)"
    wrong = {"DATABASE_URL": "postgresql://nobody@203.0.113.1/none", "SERVICE_PORT": "no number"}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=wrong,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout == "Headrace False\n"
