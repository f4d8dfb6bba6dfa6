"""The pages, the code blocks in them, and the generator."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="session")
def generate() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def page() -> Callable[[str], str]:
    """`page("docs/tutorial.md")` is its text."""
    return lambda name: (ROOT / name).read_text("utf-8")


@pytest.fixture(scope="session")
def blocks(page: Callable[[str], str]) -> Callable[[str, str], list[str]]:
    """`blocks("README.md", "yaml")` are its fenced blocks of that language, in order."""

    def blocks(name: str, language: str) -> list[str]:
        return [text for kind, text in _FENCE.findall(page(name)) if kind == language]

    return blocks


@pytest.fixture
def files(blocks: Callable[[str, str], list[str]], tmp_path: Path) -> Callable[[str], Path]:
    """`files("docs/how-to/x.md")` writes its Python blocks that begin with `# name.py` into the
    test's folder, each under its name, and returns the folder."""

    def write(name: str) -> Path:
        for block in blocks(name, "python"):
            if named := re.match(r"# (\w+\.py)\n", block):
                (tmp_path / named[1]).write_text(block, "utf-8")
        return tmp_path

    return write


@pytest.fixture
def plugin(blocks: Callable[[str, str], list[str]], tmp_path: Path) -> Callable[..., None]:
    """Installs what a page's first TOML block declares, or its n-th: entry points, as pip would
    write them."""

    def install(name: str, n: int = 1) -> None:
        import tomllib

        told = tomllib.loads(blocks(name, "toml")[n - 1])
        (group, points) = next(iter(told["project"]["entry-points"].items()))
        folder = tmp_path / f"{group.replace('.', '_')}_example-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {group.replace('.', '-')}-example\nVersion: 1.0\n"
        )
        lines = [f"{key} = {value}\n" for key, value in points.items()]
        (folder / "entry_points.txt").write_text(f"[{group}]\n{''.join(lines)}")

    return install


@pytest.fixture
def python(tmp_path: Path, database: str) -> Callable[..., str]:
    """`python("file.py")`, `python("-m", "headrace.cli", ...)`: in the test's folder, which is also
    where modules are looked for, on a database of the test's own, or on `url`. Returns what it
    printed."""

    def run(*arguments: str, url: str = database) -> str:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HEADRACE_", "API_"))}
        own = {
            "DATABASE_URL": url,
            "HEADRACE_HOME": str(tmp_path / "home"),
            "PYTHONPATH": str(tmp_path),
        }
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**kept, **own},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run
