"""The Makefile makes a virtual environment that works, whatever an earlier start left; the shell changes nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.project.compose_files import ROOT

PYTHON = """#!/bin/sh
# Stands in for Python: makes a virtual environment, and has pip where there is a file of that name beside it.
case "$*" in
"-m venv --clear .venv") rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python && touch .venv/bin/pip ;;
"-c "*pip*) [ -e "$(dirname "$0")/pip" ] ;;
--version) echo "Python 3.13.0" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "devstack").mkdir()
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "devstack" / "interpreter.sh", tmp_path / "devstack")
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def make(checkout: Path, *arguments: str, **shell: str) -> str:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    finished = subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], **shell},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def made(checkout: Path) -> bool:
    """Whether it is made (anew), and works then."""
    said = make(checkout, f"PYTHON={checkout / 'python'}", ".venv/.stamps/base")
    assert (checkout / ".venv/bin/pip").exists()
    return "creating .venv" in said


def test_a_virtual_environment_is_made_once(checkout: Path) -> None:
    assert made(checkout)
    assert not made(checkout)


def test_one_that_was_broken_off_is_made_again(checkout: Path) -> None:
    made(checkout)
    shutil.rmtree(checkout / ".venv/.stamps")
    (checkout / ".venv/bin/pip").unlink()
    assert made(checkout)


def test_one_whose_python_is_gone_is_made_again(checkout: Path) -> None:
    made(checkout)
    (checkout / ".venv/bin/python").unlink()
    (checkout / ".venv/bin/python").symlink_to("/usr/bin/python-that-was-upgraded")
    assert made(checkout)


def test_words_of_the_shell_mean_nothing_to_it(checkout: Path) -> None:
    shell = {"FORCE": "1", "PRODUCTS": "5", "ROUNDS": "7", "NAME": "wsl"}
    asked = ("--dry-run", f"PYTHON={checkout / 'python'}", "deploy", "seed-load", "durability")
    (checkout / "requirements").mkdir()
    for lock in ("devstack", "dev"):
        (checkout / "requirements" / f"{lock}.txt").touch()
    assert make(checkout, *asked, **shell) == make(checkout, *asked)
