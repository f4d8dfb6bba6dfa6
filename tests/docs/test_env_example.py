"""`.env.example` says what the settings say. To write it anew, run this file with Python."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml
from pydantic_core import PydanticUndefined

from headrace.settings import Settings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
_HEAD = """\
# Copy this file to .env and take the mark off the lines you change. None is needed to start.
"""


def example() -> str:
    """The whole file: every setting with its description, and its default if it has a fixed one."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        assert field.description, f"{name} has no description"
        text = textwrap.wrap(field.description, 96, initial_indent="# ", subsequent_indent="# ")
        fixed = field.default not in (None, PydanticUndefined)
        parts.append("\n".join([*text, f"#{name.upper()}={field.default if fixed else ''}", ""]))
    return "\n".join(parts)


def test_the_example_names_every_setting() -> None:
    """Covers A1.25: whatever the environment sets stands in one place."""
    assert EXAMPLE.read_text() == example(), f"Write it anew: python {__file__}"


def test_its_defaults_are_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Covers A0.16, A2.3: read from `.env`, beside where the program is started."""
    lines = [line[1:] for line in EXAMPLE.read_text().splitlines() if line[:2] not in ("# ", "")]
    chosen = [line for line in lines if not line.endswith("=")]
    assert len(chosen) > 1
    (tmp_path / ".env").write_text("\n".join(chosen))
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    assert Settings() == Settings(_env_file=None)


def test_the_example_is_not_a_secret_that_works() -> None:
    assert all(line.startswith("#") for line in EXAMPLE.read_text().splitlines() if line)


def test_containers_are_given_settings_that_exist() -> None:
    """Covers A0.15, A2.2: the services are called as they were, and each setting is one."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert set(services) == {"db", "redis", "api", "worker"}
    for name in ("api", "worker"):
        assert {each.lower() for each in services[name]["environment"]} <= set(
            Settings.model_fields
        )
    made = (ROOT / "Dockerfile").read_text()
    named = {name for name in Settings.model_fields if f"    {name.upper()}=" in made}
    assert named == {"headrace_home", "service_host"}


if __name__ == "__main__":
    EXAMPLE.write_text(example())
