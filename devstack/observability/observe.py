"""Debian's Prometheus and Alertmanager beside the running local stack, until Ctrl-C (`make observe`).

With the exporters of PostgreSQL and Redis where they are installed: processes on loopback; what they remember is below
the state directory. None is part of the stack.
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from devstack import control
from devstack.command import Command
from devstack.declaration import declaration
from devstack.errors import DevstackError
from devstack.observability import scraping
from devstack.observability.exporters import EXPORTERS
from devstack.observability.files import ALERTS, DIRECTORY, RECORDING
from devstack.ports import require_free_port
from devstack.secret_store import load_or_create
from devstack.settings import LOOPBACK, ROOT, Settings

EVERY = "5s"
KEEPS = "7d"
READY_WITHIN = 30.0  # seconds
PACKAGES = "apt-get install prometheus prometheus-alertmanager"
TOLD = ("SLACK_", "ALERT_", "WATCHDOG_")
"""Beginnings of the variables that alertmanager.sh reads."""


@dataclass(frozen=True)
class Observed:
    """The addresses of both."""

    prometheus: str
    alertmanager: str


def observe(settings: Settings) -> int:
    """Run them in this terminal. Raises DevstackError where either is not installed, or no stack runs."""
    control.ask(settings.control_socket, command="status")
    rules = [ROOT / DIRECTORY / "rules" / name for name in (RECORDING, ALERTS)]
    with running(settings, rules, settings.state / "observability", every=EVERY) as (observed, children):
        print(f"  Prometheus    {observed.prometheus}  (alerts: /alerts)")
        print(f"  Alertmanager  {observed.alertmanager}")
        if not any(settings.passed_on.get(name) for name in ("SLACK_WEBHOOK_URL", "ALERT_MAIL_TO")):
            print("  Nobody is told of alerts: SLACK_WEBHOOK_URL and ALERT_MAIL_TO are not set.")
        for reason in filter(None, (exporter.missing(settings) for exporter in EXPORTERS)):
            print(f"  Without what a store says of itself: {reason}.")
        print("  Ctrl-C ends them; the stack goes on.")
        while all(child.poll() is None for child in children):
            time.sleep(0.2)
    raise DevstackError(f"one of them has ended: {settings.state / 'observability'}/*.log")


@contextlib.contextmanager
def running(
    settings: Settings, rules: Sequence[Path], directory: Path, *, every: str
) -> Iterator[tuple[Observed, list[subprocess.Popen[bytes]]]]:
    """Both, ready, and all children, for as long as the context lasts. Raises DevstackError."""
    own = {name: settings.ports[f"{name}_PORT"] for name in ("PROMETHEUS", "ALERTMANAGER")}
    exporters = [exporter for exporter in EXPORTERS if not exporter.missing(settings)]
    beside = {f"{each.store} exporter": settings.ports[each.port_variable] for each in exporters}
    for name, port in {**own, **beside}.items():
        require_free_port(port, name.lower())
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "prometheus.yml"
    configuration.write_text(
        yaml.safe_dump(
            scraping.local(
                targets(settings) | {each.store: settings.ports[each.port_variable] for each in exporters},
                prometheus=own["PROMETHEUS"],
                alertmanager=own["ALERTMANAGER"],
                rules=[str(file) for file in rules],
                every=every,
            ),
            sort_keys=False,
        ),
        encoding="utf-8",
    )
    told = {n: v for n, v in settings.passed_on.items() if n.startswith(TOLD)}
    secrets = load_or_create(settings.secrets_file) if exporters else {}
    commands = {
        "prometheus": Command(
            (
                _binary("prometheus"),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={directory / 'prometheus'}",
                f"--storage.tsdb.retention.time={KEEPS}",
                f"--web.listen-address={LOOPBACK}:{own['PROMETHEUS']}",
                f"--web.external-url=http://{LOOPBACK}:{own['PROMETHEUS']}",
            )
        ),
        "alertmanager": Command(
            (
                "sh",
                str(ROOT / DIRECTORY / "alertmanager.sh"),
                str(directory / "alertmanager"),
                _binary("prometheus-alertmanager", "alertmanager"),
                f"--config.file={directory / 'alertmanager' / 'alertmanager.yml'}",
                f"--storage.path={directory / 'alertmanager' / 'data'}",
                f"--web.listen-address={LOOPBACK}:{own['ALERTMANAGER']}",
                f"--web.external-url=http://{LOOPBACK}:{own['ALERTMANAGER']}",
                "--cluster.listen-address=",
            ),
            env=told,
        ),
        **{f"{each.store}-exporter": each.command(settings, secrets) for each in exporters},
    }
    with contextlib.ExitStack() as stack:
        children = []
        for name, command in commands.items():
            log = stack.enter_context((directory / f"{name}.log").open("wb"))
            child = command.start(log.fileno())
            stack.callback(_end, child)
            children.append(child)
        # An exporter that is late, or cannot reach its store, is for Prometheus to tell.
        for child, (name, port) in zip(children, own.items(), strict=False):
            _wait_until_ready(child, port, directory / f"{name.lower()}.log")
        yield (
            Observed(*(f"http://{LOOPBACK}:{port}" for port in own.values())),
            children,
        )


def targets(settings: Settings) -> dict[str, int]:
    """The port of each job's metrics on this machine."""
    own = {p.name: settings.ports[str(p.metrics_variable)] for p in scraping.shown(declaration())}
    return {**own, "kong": settings.ports["GATEWAY_STATUS_PORT"]}


def _binary(*names: str) -> str:
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    raise DevstackError(
        f"{names[0]} is not on this machine: {PACKAGES} (or `docker compose --profile observability up`)"
    )


def _wait_until_ready(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + READY_WITHIN
    while child.poll() is None and time.monotonic() < give_up:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
        try:
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    raise DevstackError("\n".join([f"{log.stem} does not get ready:", *last]))


def _end(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
