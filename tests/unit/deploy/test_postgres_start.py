"""deploy/postgres/start.sh with programs of PostgreSQL's names that write down how they were called."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack.settings import ROOT
from tests import alpine

ENTRYPOINT = """#!/bin/sh
until [ -e "$READY" ]; do sleep 0.01; done
printf '%s ' "$@"
"""


@dataclass(frozen=True)
class Image:
    """With a script that makes databases, and a PostgreSQL that is ready at once."""

    directory: Path
    search_path: str

    @property
    def databases_were_made(self) -> bool:
        return (self.directory / "created").exists()

    def started(self, *command: str) -> str:
        """How the server was called, once the container counts as healthy."""
        environment = {
            "PATH": f"{self.directory}:{self.search_path}",
            "PGDATA": str(self.directory),
            "POSTGRES_USER": "postgres",
            "READY": f"{self.directory}/databases",
        }
        finished = subprocess.run(
            ["sh", str(self.directory / "start.sh"), *command],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return finished.stdout.strip()


@pytest.fixture(params=alpine.BOTH)
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
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
    return Image(tmp_path, alpine.search_path(request.param, tmp_path / "programs"))


def test_the_databases_are_made_before_it_counts_as_healthy(image: Image) -> None:
    image.started("postgres")
    assert image.databases_were_made


def test_a_standby_makes_none_for_it_takes_no_write(image: Image) -> None:
    (image.directory / "standby.signal").touch()
    image.started("postgres")
    assert not image.databases_were_made


def test_rows_stay_out_of_the_log_whatever_the_command(image: Image) -> None:
    """PostgreSQL takes the last of two settings."""
    said = image.started("postgres", "-c", "log_error_verbosity=verbose")
    assert said.endswith("-c log_error_verbosity=terse")
