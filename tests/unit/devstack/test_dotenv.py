"""`.env` means the same under `make up` as under `docker compose up`: recorded from Compose, and asked again there."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from devstack import dotenv
from devstack.errors import SettingsError
from tests.nasty_passwords import PASSWORDS

CASES: list[tuple[str, dict[str, str] | None]] = json.loads(
    Path(__file__).with_name("dotenv_cases.json").read_text(encoding="utf-8")
)
"""A file, and the variables that Compose 2.26 reads from it; None where it refuses the file."""
SHELL = {"B": "shell", "EMPTY": ""}
SHOWN = ("A", "B", "C", "D", "X", "exportA", "b")
"""The variables that were asked for. `B` is in the shell, which wins."""


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_as_compose_reads_it(tmp_path: Path, text: str, expected: dict[str, str] | None) -> None:
    (tmp_path / ".env").write_bytes(text.encode())
    if expected is None:
        with pytest.raises(SettingsError, match=r"^\.env:\d+: "):
            dotenv.parse(dotenv.text_of(tmp_path), SHELL)
    else:
        values = dotenv.parse(dotenv.text_of(tmp_path), SHELL)
        assert {name: values[name] for name in SHOWN if name in values and name not in SHELL} == expected


def test_compose_itself_still_reads_them_so(tmp_path: Path) -> None:
    compose = [shutil.which("docker") or "docker", "compose"]
    try:
        subprocess.run([*compose, "version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no docker compose on this machine: its answers are the recorded ones")
    variables = "".join(f'      {name}: "<${{{name}-UNSET}}>"\n' for name in SHOWN)
    (tmp_path / "compose.yaml").write_text(
        f"services:\n  s:\n    image: x\n    environment:\n{variables}", encoding="utf-8"
    )
    for text, expected in CASES[::6]:  # a tenth of a second each
        (tmp_path / ".env").write_bytes(text.encode())
        answer = subprocess.run(
            [*compose, "config", "--format", "json"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **SHELL},
            capture_output=True,
            check=False,
        )
        read = None
        if answer.returncode == 0:
            shown = json.loads(answer.stdout)["services"]["s"]["environment"]
            read = {
                name: value[1:-1].replace("$$", "$")
                for name, value in shown.items()
                if value != "<UNSET>" and name not in SHELL
            }
        assert read == expected, text


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_can_be_written(password: str) -> None:
    if "'" not in password and not password.endswith("\\"):
        assert dotenv.parse(f"A='{password}'\n", SHELL) == {"A": password}
    escaped = password.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    assert dotenv.parse(f'A="{escaped}"\n', SHELL) == {"A": password}


def test_a_bare_name_is_the_shells() -> None:
    assert dotenv.parse("B\nNONE", SHELL) == {"B": "shell"}
    assert dotenv.parse("B", SHELL) == {"B": "shell"}


def test_a_refusal_shows_no_value() -> None:
    for text in ("A='hunter2", 'A="hunter2', "A=${hunter2", "A=${hunter2:?hunter2"):
        with pytest.raises(SettingsError) as refusal:
            dotenv.parse(f"C=1\n{text}", SHELL)
        assert str(refusal.value).startswith(".env:2: ")
        assert "hunter2" not in str(refusal.value)


def test_what_can_be_read_of_a_file_that_is_refused() -> None:
    text = 'A=1\nA B=2\nC="open\nDEVSTACK_DIR=/elsewhere\nD=${NONE:?}\n'
    assert dotenv.readable(text, SHELL) == {"A": "1", "DEVSTACK_DIR": "/elsewhere"}


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    assert dotenv.text_of(tmp_path) == ""
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    with pytest.raises(SettingsError, match=r"\.env is not UTF-8"):
        dotenv.text_of(tmp_path)
