"""deploy/postgres/start.sh with programs of PostgreSQL's names that write down how they were called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from devstack.settings import ROOT

ENTRYPOINT = """#!/bin/sh
until [ -e "$READY" ]; do sleep 0.01; done
printf '%s ' "$@"
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """With a script that makes databases, and a PostgreSQL that is ready at once."""
    programs = {"docker-entrypoint.sh": ENTRYPOINT, "pg_isready": "#!/bin/sh\n"}
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "create-databases.sh").write_text(f": > {tmp_path}/created\n")
    script = (ROOT / "deploy/postgres/start.sh").read_text()
    for named, ours in (("/gatehouse", str(tmp_path)), ("/tmp/databases", f"{tmp_path}/databases")):
        assert named in script
        script = script.replace(named, ours)
    (tmp_path / "start.sh").write_text(script)
    return tmp_path


def started(directory: Path, *command: str) -> str:
    """How the server was called, once the container counts as healthy."""
    environment = {
        "PATH": f"{directory}:{os.environ['PATH']}",
        "PGDATA": str(directory),
        "POSTGRES_USER": "postgres",
        "READY": f"{directory}/databases",
    }
    finished = subprocess.run(
        ["sh", str(directory / "start.sh"), *command],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return finished.stdout.strip()


def test_the_databases_are_made_before_it_counts_as_healthy(directory: Path) -> None:
    started(directory, "postgres")
    assert (directory / "created").exists()


def test_a_standby_makes_none_for_it_takes_no_write(directory: Path) -> None:
    (directory / "standby.signal").touch()
    started(directory, "postgres")
    assert not (directory / "created").exists()


def test_rows_stay_out_of_the_log_whatever_the_command(directory: Path) -> None:
    """PostgreSQL takes the last of two settings."""
    said = started(directory, "postgres", "-c", "log_error_verbosity=verbose")
    assert said.endswith("-c log_error_verbosity=terse")
