"""deploy/postgres/standby.sh promote, with a PostgreSQL that gives the answers of a failover: what each leads to."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devstack.settings import ROOT
from tests import alpine

PG_ISREADY = """#!/bin/sh
read -r status < states && sed -i 1d states || status=0
exit "$status"
"""
PSQL = """#!/bin/sh
for statement; do :; done
echo "$statement" >> statements
if [ "$(grep -c . states)" -gt 0 ]; then
	echo "FATAL:  the database system is not yet accepting connections" >&2
	exit 2
fi
case $statement in
*pg_promote*)
	[ "$(cat role)" = t ] || exit 0
	cat becomes > role
	cat answer >&2
	exit "$(cat status)"
	;;
"SELECT pg_is_in_recovery()") cat role ;;
"ALTER SYSTEM RESET"* | "SELECT pg_reload_conf()" | "SELECT 1") ;;
*) [ "$(cat role)" = f ] || { echo "ERROR:  cannot execute it in a read-only transaction" >&2; exit 1; } ;;
esac
"""
LOST = (
    "FATAL:  terminating connection due to administrator command\nserver closed the connection unexpectedly"
)


@dataclass
class Standby:
    """`states`: what pg_isready says before it says 0; the promotion is answered with `answer` and `status`, and the
    server is in recovery (`t`) or not (`f`) before and after it."""

    directory: Path
    search_path: str
    states: list[int] = field(default_factory=list)
    role: str = "t"
    becomes: str = "f"
    answer: str = ""
    status: int = 0
    patience: int = 60
    """Seconds."""

    def promote(self) -> subprocess.CompletedProcess[str]:
        told = {
            "states": "".join(f"{each}\n" for each in self.states),
            "role": self.role,
            "becomes": self.becomes,
            "answer": self.answer,
            "status": str(self.status),
        }
        for name, text in told.items():
            (self.directory / name).write_text(text)
        for name, program in (("psql", PSQL), ("pg_isready", PG_ISREADY)):
            (self.directory / name).write_text(program)
            (self.directory / name).chmod(0o755)
        return subprocess.run(
            ["sh", str(ROOT / "deploy/postgres/standby.sh"), "promote"],
            env={
                "PATH": f"{self.directory}:{self.search_path}",
                "NAME": "postgres-standby",
                "PEER": "postgres",
                "POSTGRES_USER": "postgres",
                "PGDATA": str(self.directory),
                "PATIENCE": str(self.patience),
            },
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def statements(self) -> list[str]:
        return (self.directory / "statements").read_text().splitlines()


@pytest.fixture(params=alpine.BOTH)
def standby(request: pytest.FixtureRequest, tmp_path: Path) -> Standby:
    return Standby(tmp_path, alpine.search_path(request.param, tmp_path / "programs"))


def test_one_that_is_on_its_way_up_is_asked_once_it_takes_connections(standby: Standby) -> None:
    """2: nothing listens yet; 1: it refuses, starting or not yet consistent."""
    standby.states = [2, 1, 1]
    promoted = standby.promote()
    assert promoted.returncode == 0, promoted.stdout
    assert len(standby.statements) == 4


def test_one_that_never_takes_connections_says_why(standby: Standby) -> None:
    standby.states, standby.patience = [1] * 1000, 1
    promoted = standby.promote()
    assert promoted.returncode == 1
    assert "takes no connections: FATAL:  the database system is not yet accepting" in promoted.stdout


def test_an_answer_that_is_lost_is_no_promotion_that_failed(standby: Standby) -> None:
    standby.answer, standby.status = LOST, 2
    promoted = standby.promote()
    assert promoted.returncode == 0, promoted.stdout
    assert LOST in promoted.stdout


def test_one_that_is_still_a_standby_after_it_was_asked_is_named(standby: Standby) -> None:
    standby.becomes, standby.answer, standby.status = "t", LOST, 2
    promoted = standby.promote()
    assert promoted.returncode == 1
    assert LOST in promoted.stdout and "was not promoted within a minute" in promoted.stdout


def test_a_promotion_may_be_repeated(standby: Standby) -> None:
    standby.role = "f"
    promoted = standby.promote()
    assert promoted.returncode == 0, promoted.stdout


def test_no_commit_waits_for_the_one_that_is_gone_from_the_first_on(standby: Standby) -> None:
    """And nothing is asked for that a standby refuses as a write."""
    assert standby.promote().returncode == 0
    asked = standby.statements
    reset, reloaded = (
        next(number for number, each in enumerate(asked) if word in each)
        for word in ("RESET", "pg_reload_conf")
    )
    promoted = next(number for number, each in enumerate(asked) if "pg_promote" in each)
    assert reset < reloaded < promoted
