"""compose.yaml with deploy/compose.standby.yaml, failed over and restored by deploy/standby.sh, as operators do it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from devstack.postgres import SUPERUSER
from devstack.settings import ROOT
from tests.e2e import docker_stack
from tests.e2e.docker_stack import COMMAND_DEADLINE, DockerStack, run_docker
from tests.recovery.replicated import Ask, Failover

OVERLAY = "deploy/compose.standby.yaml"
BOTH = ("postgres", "postgres-standby")


@dataclass(frozen=True)
class ReplicatedContainers(DockerStack):
    synchronous: bool
    failovers: list[Failover]
    addresses: dict[str, str]
    """Of the two, once they were asked for."""

    @property
    def primary(self) -> str:
        return BOTH[len(self.failovers) % 2]

    @property
    def former(self) -> str:
        return BOTH[(len(self.failovers) + 1) % 2]

    @property
    def postgres_url(self) -> str:
        """By the container's own address: what this machine publishes leads to the first of the two."""
        name = self.primary
        if name not in self.addresses:
            (inspected,) = json.loads(run_docker("inspect", self._container(name)))
            (network,) = inspected["NetworkSettings"]["Networks"].values()
            self.addresses[name] = network["IPAddress"]
        return f"postgresql://postgres:{self.postgres_password}@{self.addresses[name]}:5432"

    def kill(self, name: str) -> None:
        """Of PostgreSQL the primary: Docker does not start it again, its standby takes over."""
        if name != "postgres":
            super().kill(name)
            return
        run_docker("kill", self._container(self.primary))
        killed = time.monotonic()  # the answer says that it is dead
        self.standby("failover")
        self.failovers.append(Failover(killed, time.monotonic()))

    def ask(self, statement: str, database: str = SUPERUSER, /) -> str:
        return self._asked(self.primary, statement, database)

    def refusal(self) -> str | None:
        self._compose("up", "--detach", "--wait", "--no-deps", self.former)
        try:
            self._asked(self.former, "UPDATE member SET name = name", "member")
        except subprocess.CalledProcessError as refusal:
            return str(refusal.stderr).strip()
        finally:
            self._compose("stop", self.former)
        return None

    def rejoin(self) -> None:
        self.standby("rejoin")
        if self.synchronous:
            self.standby("wait", "on")

    def lose_redis(self) -> None:
        self._compose("stop", "redis")
        self._compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "sh -c 'rm -rf /data/*'", "redis")
        self._compose("up", "--detach", "--wait", "--no-deps", "redis")

    @contextmanager
    def restored(self, moment: datetime) -> Iterator[Ask]:
        self.standby("restore", moment.isoformat())
        try:
            yield lambda statement, database=SUPERUSER: self._asked("postgres-restored", statement, database)
        finally:
            self._compose("--profile", "restored", "rm", "--stop", "--force", "postgres-restored")
            # Of a profile, so that what takes the project down passes them by.
            volumes = (
                f"{self.environment['COMPOSE_PROJECT_NAME']}_postgres_restored_{kind}"
                for kind in ("data", "socket")
            )
            run_docker("volume", "rm", *volumes)

    def standby(self, *arguments: str) -> str:
        """deploy/standby.sh. Raises AssertionError with what it said, and what the servers did."""
        done = subprocess.run(
            ["deploy/standby.sh", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_DEADLINE,
        )
        if done.returncode != 0:
            logs = run_docker(
                "compose", "logs", "--tail=40", "postgres", "postgres-standby", environment=self.environment
            )
            raise AssertionError(f"standby.sh {' '.join(arguments)}: {done.stdout}{done.stderr}\n{logs}")
        return done.stdout

    def _asked(self, service: str, statement: str, database: str) -> str:
        command = ("compose", "--profile", "restored", "exec", "-T", service, "psql", "--no-psqlrc", "-At")
        options = ("-v", "ON_ERROR_STOP=1", "-U", SUPERUSER, "-d", database, "-c", statement)
        return run_docker(*command, *options, environment=self.environment).strip()

    def _container(self, service: str) -> str:
        return run_docker("compose", "ps", "--all", "--quiet", service, environment=self.environment).strip()


@contextmanager
def running(*, synchronous: bool) -> Iterator[ReplicatedContainers]:
    with docker_stack.running(OVERLAY) as plain:
        stack = ReplicatedContainers(**vars(plain), synchronous=synchronous, failovers=[], addresses={})
        stack.standby("backup")
        if synchronous:
            stack.standby("wait", "on")
        yield stack
