"""Replaces and adds containers of the compose project without a failed request.

    python deploy/rollout.py deploy [NAME ...]       # what differs from the files and images of now
    python deploy/rollout.py deploy --force NAME     # even where nothing differs
    python deploy/rollout.py scale NAME REPLICAS

COMPOSE_FILE chooses the project, as for docker compose itself. Docker's DNS announces a container from its start to its
end, and Compose replaces all replicas at once. So here a new replica starts without the service's name and gets it when
it is healthy; an old one loses its name, is forgotten by all who remember it, and is stopped then
(docs/decisions/0053-rollouts.md).
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

CALLED_ON = "gatehouse.called-on"
HEALTHY_SECONDS = 120.0
FORGOTTEN_SECONDS = 12.0
"""Longer than any caller remembers an address: Kong 5 s and 5 s more (KONG_DNS_STALE_TTL), services 10 s, Caddy 1 s."""


class RolloutError(Exception):
    """What stopped a rollout. What served before serves on."""


@dataclass(frozen=True)
class Container:
    """A container of the project, as `docker inspect` tells it."""

    id: str
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.facts["Name"]).lstrip("/")

    @property
    def service(self) -> str:
        return str(self.facts["Config"]["Labels"]["com.docker.compose.service"])

    @property
    def health(self) -> str:
        """`healthy`, `starting`, `unhealthy`; `running` without a health check; `exited`, `created` and the like."""
        state = self.facts["State"]
        if state["Status"] != "running":
            return str(state["Status"])
        return str(state["Health"]["Status"]) if state.get("Health") else "running"

    @property
    def config_hash(self) -> str:
        return str(self.facts["Config"]["Labels"]["com.docker.compose.config-hash"])

    def endpoint(self, network: str) -> Mapping[str, Any]:
        """Its address and names on a network of the project."""
        found: Mapping[str, Any] = self.facts["NetworkSettings"]["Networks"][network]
        return found

    def mounted_files(self) -> list[Path]:
        return [Path(mount["Source"]) for mount in self.facts["Mounts"] if mount["Type"] == "bind"]


def outdated(container: Container, config_hash: str, image: str, newest_file: float) -> bool:
    """Whether `container` has other settings or another image, or started before a file mounted into it changed."""
    started = datetime.fromisoformat(container.facts["State"]["StartedAt"][:19] + "+00:00").timestamp()
    return (
        container.config_hash != config_hash or container.facts["Image"] != image or newest_file > started + 1
    )


def in_order(services: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What can be rolled over, each after what it reads at its start (`depends_on`)."""
    graph = {name: sorted(service.get("depends_on") or {}) for name, service in sorted(services.items())}
    order = TopologicalSorter(graph).static_order()
    return [name for name in order if CALLED_ON in (services[name].get("labels") or {})]


class Project:
    """The compose project: what its files say, and the containers that run."""

    def __init__(self) -> None:
        self.config: dict[str, Any] = json.loads(_compose("config", "--format", "json"))
        self.services: dict[str, dict[str, Any]] = self.config["services"]

    def containers(self, service: str) -> list[Container]:
        ids = _docker(
            *("ps", "--all", "--quiet", "--no-trunc"),
            *("--filter", f"label=com.docker.compose.project={self.config['name']}"),
            *("--filter", f"label=com.docker.compose.service={service}"),
            *("--filter", "label=com.docker.compose.oneoff=False"),
        ).split()
        return [_inspected(id_) for id_ in reversed(ids)]

    def networks(self, service: str) -> list[str]:
        """Docker's names of the networks on which others call `service`."""
        return [
            self.config["networks"][name]["name"]
            for name in self.services[service]["labels"][CALLED_ON].split()
        ]

    def add(self, service: str, count: int) -> list[Container]:
        """Starts `count` replicas more and announces them when they are healthy. Raises RolloutError, without them."""
        before = self.containers(service)
        known, wanted = {container.id for container in before}, len(before) + count
        # Not --no-deps: Compose would leave dependencies out of what it notes as the settings of the container.
        others = _replicas(self, besides=service)
        _compose(
            *("up", "--no-start", "--no-recreate", "--no-build", *others),
            *("--scale", f"{service}={wanted}", service),
        )
        new = [container for container in self.containers(service) if container.id not in known]
        try:
            for container in new:
                for network in self.networks(service):
                    _attach(network, container.id, aliases=[])
            for container in new:
                _docker("start", container.id)
            for container in new:
                _wait_until_healthy(container)
        except (RolloutError, KeyboardInterrupt):
            for container in new:
                _docker("rm", "--force", container.id)
            raise
        for container in new:
            for network in self.networks(service):
                _attach(network, container.id, aliases=[service])
            print(f"{container.name} is healthy and has its share of the work", flush=True)
        return new

    def retire(self, service: str, old: list[Container]) -> None:
        """Takes the service's name from `old`, waits until it is forgotten, and stops them then."""
        networks = self.networks(service)
        for container in old:
            for network in networks:
                # With the address that it had: connections through it go on.
                _attach(network, container.id, aliases=[], address=container.endpoint(network)["IPAddress"])
        if networks and old:
            time.sleep(FORGOTTEN_SECONDS)
        for container in old:
            _docker("stop", container.id)  # within the service's stop_grace_period
            _docker("rm", container.id)
            print(f"{container.name} has ended", flush=True)


def deploy(project: Project, names: list[str], *, force: bool) -> None:
    """Brings every part up to the files and images of now, one replica after the other."""
    # What is not there is started; what is there is left alone.
    _compose("up", "--detach", "--wait", "--no-recreate", "--no-build", *_replicas(project))
    for service in names or in_order(project.services):
        hash_ = _compose("config", "--hash", service).split()[1]
        image = _docker("image", "inspect", "--format", "{{.Id}}", project.services[service]["image"]).strip()
        old = [
            container
            for container in project.containers(service)
            if force or outdated(container, hash_, image, _newest(container.mounted_files()))
        ]
        if not old:
            print(f"{service} is as it should be", flush=True)
            continue
        if project.services[service].get("ports"):
            print(
                f"{service} has a port of this machine, which two cannot share: a moment without it",
                flush=True,
            )
            _docker(
                "compose",
                "up",
                "--detach",
                "--wait",
                "--no-deps",
                "--no-build",
                "--force-recreate",
                service,
            )
            continue
        for container in old:
            project.add(service, 1)
            project.retire(service, [container])
    if "tls" in project.services and not names:
        reload = ("caddy", "reload", "--force", "--config", "/gatehouse/Caddyfile", "--adapter", "caddyfile")
        _compose("exec", "-T", "tls", *reload)
        print("tls has read its configuration and certificates", flush=True)


def scale(project: Project, service: str, replicas: int) -> None:
    running = project.containers(service)
    if replicas > len(running):
        project.add(service, replicas - len(running))
    else:
        project.retire(service, running[replicas:])


def _replicas(project: Project, besides: str = "") -> list[str]:
    """As many as there are of each, since Compose would otherwise go back to one."""
    counts = {name: len(project.containers(name)) for name in in_order(project.services) if name != besides}
    return [word for name, count in counts.items() if count > 1 for word in ("--scale", f"{name}={count}")]


def _attach(network: str, container: str, *, aliases: list[str], address: str | None = None) -> None:
    """Connects `container` anew, so that it has these names on `network`, and this address if one is given."""
    _docker("network", "disconnect", network, container)
    options = [word for alias in aliases for word in ("--alias", alias)] + (
        ["--ip", address] if address else []
    )
    _docker("network", "connect", *options, network, container)


def _wait_until_healthy(container: Container) -> None:
    end = time.monotonic() + HEALTHY_SECONDS
    while (health := _inspected(container.id).health) not in {"healthy", "running"}:
        if health != "starting" or time.monotonic() > end:
            raise RolloutError(
                f"{container.name} is {health}: docker compose logs {container.service}\n{_tail(container)}"
            )
        time.sleep(0.5)


def _newest(files: list[Path]) -> float:
    """When the latest of these files, or of those in these directories, was changed. Seconds since the epoch."""
    every = [inner for file in files for inner in ([file, *file.rglob("*")] if file.is_dir() else [file])]
    return max((file.stat().st_mtime for file in every if file.exists()), default=0.0)


def _inspected(container: str) -> Container:
    return Container(container, json.loads(_docker("inspect", container))[0])


def _tail(container: Container) -> str:
    """The last lines that `container` wrote, on both of its streams."""
    return _docker("logs", "--tail", "20", container.id, errors=subprocess.STDOUT)


def _compose(*arguments: str) -> str:
    return _docker("compose", *arguments)


def _docker(*arguments: str, errors: int = subprocess.PIPE) -> str:
    """What the command printed. Raises RolloutError with what it said if it failed."""
    finished = subprocess.run(  # noqa: S603 - a list, no shell
        ["docker", *arguments],  # noqa: S607 - the one that the caller's shell finds
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise RolloutError(f"docker {' '.join(arguments)}\n{(finished.stderr or finished.stdout).strip()}")
    return finished.stdout


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="rollout.py", description=__doc__.splitlines()[0] if __doc__ else None
    )
    commands = parser.add_subparsers(dest="command", required=True)
    deploying = commands.add_parser("deploy")
    deploying.add_argument("--force", action="store_true")
    deploying.add_argument("names", nargs="*")
    scaling = commands.add_parser("scale")
    scaling.add_argument("name")
    scaling.add_argument("replicas", type=int)
    asked = parser.parse_args(arguments)
    try:
        project = Project()
        names = asked.names if asked.command == "deploy" else [asked.name]
        fixed = set(names) - set(in_order(project.services))
        if fixed or (asked.command == "scale" and not 1 <= asked.replicas <= 9):
            parser.error(
                f"{', '.join(sorted(fixed)) or asked.replicas}: cannot be done without a pause (docs/operations.md)"
            )
        if asked.command == "deploy":
            deploy(project, names, force=asked.force)
        elif project.services[asked.name].get("ports"):
            parser.error(f"{asked.name} has a port of this machine, which two cannot share")
        else:
            scale(project, asked.name, asked.replicas)
    except RolloutError as fault:
        print(f"stopped, what served before serves on: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped, what served before serves on; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
