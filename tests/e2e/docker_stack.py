"""compose.yaml through testcontainers, under a project name and on ports of its own."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from testcontainers.compose import DockerCompose

from devstack.declaration import declaration
from devstack.settings import ROOT
from devstack.throwaway import free_ports
from tests.e2e.stack import Published, RestartRefused

KONG_IMAGE = os.environ.get("KONG_IMAGE", "kong:3.9.3")
STAND_IN = "deploy/compose.stand-in.yaml"
IMAGE_TAG = f"e2e-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
"""This checkout's own: a build elsewhere on the machine would change what runs here."""
COMMAND_DEADLINE = 180  # seconds
MAILS = """
import base64, pathlib
for file in sorted(pathlib.Path("/mail").glob("*.eml")):
    print(base64.b64encode(file.read_bytes()).decode())
"""
PUBLISHED = (
    *("FRONTEND_PORT", "GATEWAY_PORT", "GATEWAY_ADMIN_PORT"),
    *(process.port_variable for process in declaration().of_kind("service", "aid")),
    *("POSTGRES_PORT", "REDIS_PORT", "MAILBOX_PORT"),
)


def available() -> bool:
    """A Docker engine answers and has Kong's image: nothing would be pulled in the middle of the tests."""
    return shutil.which("docker") is not None and has_image(KONG_IMAGE)


def compose_files() -> list[str]:
    """Kong where its image is at hand; else the development stand-in, which is built here, in its place."""
    return ["compose.yaml"] if has_image(KONG_IMAGE) else ["compose.yaml", STAND_IN]


def has_image(name: str) -> bool:
    found = subprocess.run(
        ["docker", "image", "inspect", name], capture_output=True, check=False, timeout=COMMAND_DEADLINE
    )
    return found.returncode == 0


@dataclass(frozen=True)
class DockerStack(Published):
    compose: DockerCompose

    @property
    def template(self) -> Path | None:
        return None  # the checkout's own file is mounted: no test edits that

    def kill(self, name: str) -> None:
        self._compose("kill", "-s", "SIGKILL", name)
        self._compose("start", name)  # Docker takes a kill for a wish, and would leave it so

    def stop(self, name: str) -> None:
        self._compose("stop", name)

    def kill_worker(self, name: str) -> None:
        self.kill(name)

    def pause(self, name: str) -> None:
        self._compose("pause", name)

    def resume(self, name: str) -> None:
        self._compose("unpause", name)

    @property
    def postgres_password(self) -> str:
        return self.environment.get("POSTGRES_PASSWORD") or "development-postgres"

    @property
    def postgres_url(self) -> str:
        return f"postgresql://postgres:{self.postgres_password}@127.0.0.1:{self.environment['POSTGRES_PORT']}"

    def redis_url(self, user: str) -> str | None:
        return None

    def mails(self) -> list[bytes]:
        printed = run_docker(
            "compose", "exec", "--no-TTY", "order", "python", "-c", MAILS, environment=self.environment
        )
        return [base64.b64decode(line) for line in printed.split()]

    def restart(self, name: str) -> str:
        self._compose("stop", name)
        self._compose("up", "--detach", "--wait", "--no-deps", name)
        return ""

    def log(self) -> str:
        return run_docker("compose", "logs", "--no-color", "--no-log-prefix", environment=self.environment)

    def process_ids(self) -> list[int]:
        return []

    def _compose(self, *arguments: str) -> None:
        finished = subprocess.run(
            [*self.compose.compose_command_property, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_DEADLINE,
        )
        if finished.returncode != 0:
            raise RestartRefused(finished.stderr)


@contextmanager
def running(*overlays: str) -> Iterator[DockerStack]:
    """`overlays`: compose files that change something of it."""
    environment = {
        **os.environ,
        **{name: str(port) for name, port in zip(PUBLISHED, free_ports(len(PUBLISHED)), strict=True)},
        "COMPOSE_PROJECT_NAME": f"gatehouse-e2e-{os.getpid()}",
        "NETWORK_PREFIX": free_prefix(),
        "GATEHOUSE_TAG": IMAGE_TAG,
        "INTERNAL_API_KEY": "development-key-for-the-journeys-of-the-tests",
        "TESTCONTAINERS_RYUK_DISABLED": "true",
    }
    files = [*compose_files(), *overlays]
    environment["COMPOSE_FILE"] = os.pathsep.join(files)  # for the scripts that the tests run
    before = dict(os.environ)
    os.environ.update(environment)  # testcontainers hands its own environment to Compose
    project = DockerCompose(ROOT, compose_file_name=files, build=True, wait=True)
    try:
        try:
            project.start()
        except subprocess.CalledProcessError as fault:
            fault.add_note(what_failed(project))
            raise
        yield DockerStack(environment, environment["INTERNAL_API_KEY"], project)
    finally:
        project.stop()
        os.environ.clear()
        os.environ.update(before)


def free_prefix() -> str:
    """The first three numbers of a /24 that no network of this engine has. Raises StopIteration where there is none."""
    ids = run_docker("network", "ls", "--quiet").split()
    template = "{{range .IPAM.Config}}{{.Subnet}} {{end}}"
    # One that another run takes down meanwhile is no fault.
    shown = run_docker("network", "inspect", "-f", template, *ids, check=False)
    taken = [ip_network(subnet) for subnet in shown.split()]
    prefixes = (f"10.{214 + number // 256}.{number % 256}" for number in range(os.getpid() % 256, 4096))
    return next(
        prefix
        for prefix in prefixes
        if not any(ip_network(f"{prefix}.0/24").overlaps(other) for other in taken if other.version == 4)
    )


def run_docker(*arguments: str, environment: dict[str, str] | None = None, check: bool = True) -> str:
    """What `docker` printed. Raises CalledProcessError where it failed and `check` is on."""
    return subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=check,
        timeout=COMMAND_DEADLINE,
    ).stdout


def what_failed(project: DockerCompose) -> str:
    """The state of every container, and the last lines of those that are not well."""
    states = project.get_containers(include_all=True)
    failing = [str(c.Service) for c in states if c.State != "running" or c.Health not in {"healthy", ""}]
    output, errors = project.get_logs(*failing) if failing else ("", "")
    lines = [f"{c.Service}: {c.State} {c.Health or ''}" for c in states]
    return "\n".join([*lines, *output.splitlines()[-60:], *errors.splitlines()[-20:]])
