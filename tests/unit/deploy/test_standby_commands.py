"""deploy/standby.sh with a `docker` that only says how the two servers are, and writes down what it was asked for."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from devstack.settings import ROOT

DOCKER = """#!/usr/bin/env python3
import json, pathlib, sys
directory = pathlib.Path(__file__).parent
state, words = json.loads((directory / "state.json").read_text()), sys.argv[1:]
with (directory / "calls").open("a") as calls:
    print(*words, file=calls)
def become(service, how):
    state["roles"][service] = how
    (directory / "state.json").write_text(json.dumps(state))
match words:
    case ["compose", "exec", "-T", service, "timeout", "5", "psql", *_, statement]:
        if "pg_is_in_recovery()" in statement:
            how = state["roles"][service].split()[0]
            role = {"standby": "t|f", "behind": "t|f", "fenced": "t|t", "primary": "f|f"}.get(how)
            if role is None:
                sys.exit(f'service "{service}" is not running')
            print(role)
        elif "pg_stat_replication" in statement:
            follower, = [name for name in state["roles"] if f"'{name}'" in statement]
            if state["roles"][follower] in ("standby", "fenced and streaming"):
                print(1)
    case ["compose", "exec", "-T", service, "sh", "/gatehouse/standby.sh", "promote"]:
        become(service, "primary")
    case ["compose", "ps", "--all", "--quiet", service]:
        print(service)
    case ["compose", "run", *_, service, "copy"]:
        state["starts_as"] = "standby"
        (directory / "state.json").write_text(json.dumps(state))
    case ["compose", "up", *_, service]:
        become(service, state["starts_as"])
    case ["inspect", *_]:
        print("true", 1 if "crashing" in state["roles"].values() else 0)
    case ["stop", "--time", "0", service] | ["compose", "stop", service]:
        become(service, "down")
    case ["cp", "-", _]:
        sys.stdin.buffer.read()
"""


class Docker:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        program = directory / "docker"
        program.write_text(DOCKER)
        program.chmod(0o755)

    def standby(
        self, command: str, *, starts_as: str = "standby", **roles: str
    ) -> tuple[int, str, list[str]]:
        """The exit status, what was said, and the calls that changed something."""
        both = {"postgres": roles["first"], "postgres-standby": roles["second"]}
        (self._directory / "state.json").write_text(json.dumps({"roles": both, "starts_as": starts_as}))
        (self._directory / "calls").write_text("")
        done = subprocess.run(
            ["sh", str(ROOT / "deploy/standby.sh"), command],
            env={**os.environ, "PATH": f"{self._directory}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        calls = (self._directory / "calls").read_text().splitlines()
        asked = ("psql", "compose ps", "inspect")
        return done.returncode, done.stdout, [call for call in calls if not any(a in call for a in asked)]


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


FENCED = ["stop --time 0 postgres", "cp - postgres:/var/lib/postgresql/data"]
PROMOTED = "compose exec -T postgres-standby sh /gatehouse/standby.sh promote"
RUN = "compose run --rm --no-deps -T postgres"
UP = "compose up --detach --no-deps postgres"


@pytest.mark.parametrize("former", ["primary", "down"])
def test_the_former_primary_is_fenced_before_the_other_one_is_promoted(docker: Docker, former: str) -> None:
    status, said, calls = docker.standby("failover", first=former, second="standby")
    assert (status, calls) == (0, [*FENCED, PROMOTED]), said


@pytest.mark.parametrize("second", ["fenced", "down"])
def test_one_that_does_not_have_what_was_written_does_not_take_over(docker: Docker, second: str) -> None:
    """As after a failover that is asked for a second time."""
    status, said, calls = docker.standby("failover", first="primary", second=second)
    assert (status, calls) == (1, [])
    assert "nothing was changed" in said


def test_a_server_that_counts_as_down_is_told_with_what_was_said_instead(docker: Docker) -> None:
    for command in ("status", "failover"):
        _, said, _ = docker.standby(command, first="primary", second="down")
        assert 'service "postgres-standby" is not running' in said, command


def test_a_failover_that_is_repeated_says_who_takes_writes(docker: Docker) -> None:
    status, said, calls = docker.standby("failover", first="fenced", second="primary")
    assert (status, calls) == (1, [])
    assert "postgres-standby takes writes" in said


def test_a_primary_is_not_taken_from_what_does_not_follow_it(docker: Docker) -> None:
    status, said, calls = docker.standby("failover", first="primary", second="behind")
    assert (status, calls) == (1, [])
    assert "nothing was changed: postgres takes writes, which postgres-standby does not have" in said


def test_the_former_primary_is_made_a_standby_and_then_follows(docker: Docker) -> None:
    status, said, calls = docker.standby("rejoin", first="fenced", second="primary")
    assert (status, calls) == (0, ["compose stop postgres", f"{RUN} rejoin", UP]), said
    assert said.endswith("postgres follows postgres-standby\n")


def test_a_rejoin_that_is_repeated_changes_nothing(docker: Docker) -> None:
    status, said, calls = docker.standby("rejoin", first="standby", second="primary")
    assert (status, calls, said) == (0, [], "postgres follows postgres-standby already\n")


def test_what_streams_behind_its_fence_does_not_follow_yet(docker: Docker) -> None:
    status, said, calls = docker.standby("rejoin", first="fenced and streaming", second="primary")
    assert (status, calls) == (0, ["compose stop postgres", f"{RUN} rejoin", UP]), said


def test_one_that_does_not_start_then_is_copied_anew(docker: Docker) -> None:
    status, said, calls = docker.standby("rejoin", starts_as="crashing", first="down", second="primary")
    assert status == 0, said
    made = [call for call in calls if "logs" not in call]
    assert made == ["compose stop postgres", f"{RUN} rejoin", UP, "compose stop postgres", f"{RUN} copy", UP]
    assert "it is copied anew" in said


def test_of_two_that_take_writes_none_is_made_a_standby(docker: Docker) -> None:
    status, said, calls = docker.standby("rejoin", first="primary", second="primary")
    assert (status, calls) == (1, [])
    assert "both take writes" in said
