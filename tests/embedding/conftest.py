"""The local model, built once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.embedding import Embedder, embedder


@pytest.fixture(scope="session")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model-home")


@pytest.fixture(scope="session")
def minilm(model_home: Path) -> Embedder:
    return embedder(home=model_home)


@pytest.fixture(scope="session")
def minilm_fp32(model_home: Path) -> Embedder:
    return embedder(model="all-MiniLM-L6-v2-fp32", home=model_home)
