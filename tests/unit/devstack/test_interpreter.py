"""Which Python the virtual environment is made from."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "devstack" / "interpreter.sh"
OPTIMISED, COMPILED_ON_THE_SPOT, NOT_SUPPORTED, SHIM_OF_NOTHING = 0, 10, 2, 127


def chosen(path: str) -> str:
    ran = subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ran.stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> "Place":
    return Place(tmp_path)


class Place:
    """Directories with interpreters that say of themselves what the script asks."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, path: str, verdict: int) -> str:
        file = self._root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\nexit {verdict}\n")
        file.chmod(0o755)
        return str(file)

    def path(self, *directories: str) -> str:
        return ":".join(str(self._root / each) for each in directories)


def test_the_newest_optimised_one(place: Place) -> None:
    place.add("a/python3.12", OPTIMISED)
    newest = place.add("b/python3.13", OPTIMISED)
    assert chosen(place.path("a", "b")) == newest


def test_an_optimised_one_before_a_newer_one_and_before_one_that_stands_first(place: Place) -> None:
    place.add("shims/python3.13", SHIM_OF_NOTHING)
    place.add("shims/python3.12", COMPILED_ON_THE_SPOT)
    place.add("shims/python3.11", COMPILED_ON_THE_SPOT)
    of_the_system = place.add("system/python3.11", OPTIMISED)
    assert chosen(place.path("shims", "system")) == of_the_system


def test_one_that_is_not_optimised_where_there_is_no_other(place: Place) -> None:
    place.add("a/python3.13", NOT_SUPPORTED)
    only = place.add("a/python3.12", COMPILED_ON_THE_SPOT)
    place.add("a/python3.11", COMPILED_ON_THE_SPOT)
    assert chosen(place.path("a")) == only


def test_nothing_where_none_is_supported(place: Place) -> None:
    place.add("a/python3", NOT_SUPPORTED)
    assert chosen(place.path("a", "missing")) == ""


def test_the_real_ones_are_judged(place: Place) -> None:
    # The question itself, asked of what is on this machine: at least the one that runs this test is found.
    found = chosen(os.environ["PATH"])
    assert found, "no Python on the PATH"
    answer = subprocess.run(
        [found, "-c", "import sys, venv; print(sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() in ("(3, 11)", "(3, 12)", "(3, 13)")
