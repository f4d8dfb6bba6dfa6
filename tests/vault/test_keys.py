"""Where the key comes from: a setting, or a file that is made once."""

from __future__ import annotations

import base64
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from headrace.errors import BadInput
from headrace.settings import Settings
from headrace.vault import Vault

KEY = bytes(range(200, 232))
OLD = bytes(range(32))
_MAKE_AND_SEAL = """
import sys
from pathlib import Path
from headrace.settings import Settings
from headrace.vault import Vault
sys.stdin.read()
vault = Vault.from_settings(Settings(headrace_home=Path(sys.argv[1]), headrace_secret_key=None))
print(vault.seal("word", tenant="t", connection="c").hex())
"""


def vault(home: Path, key: str | None = None) -> Vault:
    secret = None if key is None else SecretStr(key)
    return Vault.from_settings(Settings(headrace_home=home, headrace_secret_key=secret))


@pytest.mark.parametrize(
    "text",
    [
        KEY.hex(),
        KEY.hex().upper(),
        base64.b64encode(KEY).decode(),
        base64.urlsafe_b64encode(KEY).decode().rstrip("="),
        f" {KEY.hex()}\n",
        f"{KEY.hex()},{OLD.hex()}",
    ],
)
def test_a_key_in_hex_or_base64(tmp_path: Path, text: str) -> None:
    envelope = vault(tmp_path, text).seal("word", tenant="t", connection="c")
    assert Vault(KEY).open(envelope, tenant="t", connection="c") == "word"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "correct horse battery staple", "g" * 64, KEY.hex()[:-2]])
def test_anything_else_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match="HEADRACE_SECRET_KEY must be 32 bytes") as caught:
        vault(tmp_path, text)
    assert "token_hex(32)" in caught.value.hint
    assert not text or text not in str(caught.value)


def test_the_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "not" / "yet"
    envelope = vault(home).seal("word", tenant="t", connection="c")
    assert vault(home).open(envelope, tenant="t", connection="c") == "word"
    assert [path.name for path in home.iterdir()] == ["secret.key"]
    assert stat.S_IMODE((home / "secret.key").stat().st_mode) == 0o600


def test_a_new_first_line_of_the_file_rotates_it(tmp_path: Path) -> None:
    before = vault(tmp_path).seal("word", tenant="t", connection="c")
    file = tmp_path / "secret.key"
    file.write_text(f"{KEY.hex()}\n{file.read_text()}")
    after = vault(tmp_path)
    assert after.open(before, tenant="t", connection="c") == "word"
    assert after.is_current(Vault(KEY).seal("", tenant="t", connection="c"))


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    vault(tmp_path)
    (tmp_path / "secret.key").chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        vault(tmp_path)


def test_an_unusable_file_is_named(tmp_path: Path) -> None:
    vault(tmp_path)
    (tmp_path / "secret.key").write_text("half a k")
    with pytest.raises(BadInput, match=str(tmp_path)):
        vault(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be read or made"):
        vault(tmp_path / "file")


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-c", _MAKE_AND_SEAL, str(home)]
    pipe = subprocess.PIPE
    started = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(8)]
    for process in started:
        assert process.stdin
        process.stdin.close()
        process.stdin = None
    sealed = [process.communicate()[0] for process in started]
    for each in sealed:
        assert vault(home).open(bytes.fromhex(each), tenant="t", connection="c") == "word"
    assert [path.name for path in home.iterdir()] == ["secret.key"]
