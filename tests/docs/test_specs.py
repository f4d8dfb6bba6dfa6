"""Every YAML block that shows a spec, whole or in part, is one that Headrace reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headrace.rest import load_spec, parse_spec
from headrace.rest.spec import RestSpec

PAGES = ["README.md", "docs/tutorial.md", "docs/how-to/rest-spec.md"]


@pytest.mark.parametrize("name", PAGES)
def test_blocks_are_specs(name: str, blocks: Callable[[str, str], list[str]]) -> None:
    found = blocks(name, "yaml")
    assert found
    for text in found:
        spec = parse_spec(whole(yaml.safe_load(text)), where=f"{name}: {text}")
        assert spec.streams


def whole(part: dict[str, Any]) -> dict[str, Any]:
    """The spec that a part belongs into: keys of the spec itself, or of a stream."""
    least = {"name": "part", "base_url": "https://api.example.com", "streams": {"a": {"path": "/"}}}
    if part.keys() <= RestSpec.model_fields.keys():
        return {**least, **part}
    return {**least, "streams": {"a": {"path": "/", **part}}}


def test_the_first_block_is_a_file(blocks: Callable[[str, str], list[str]], tmp_path: Path) -> None:
    file = tmp_path / "my-api.yaml"
    file.write_text(blocks("README.md", "yaml")[0])
    assert load_spec(file).name == "shop"
