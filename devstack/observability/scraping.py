"""What Prometheus scrapes, from gatehouse.toml: one job for each process and each store, named as it is.

Under compose a name has an address for each replica, which DNS tells; local processes have a port each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devstack.declaration import Declaration, Process
from devstack.observability.exporters import EXPORTERS

KONG_STATUS_PORT = 8100
PROMETHEUS_PORT = 9090
ALERTMANAGER_PORT = 9093


def jobs(found: Declaration) -> dict[str, int]:
    """Each process that shows metrics, with the port of its `/metrics` where each has an address of its own."""
    own = {p.name: p.metrics_port or p.port for p in shown(found)}
    return {**own, "kong": KONG_STATUS_PORT}


def shown(found: Declaration) -> list[Process]:
    """The processes of ours that show metrics: all but aids."""
    return [process for process in found.processes.values() if process.metrics_variable is not None]


def compose(found: Declaration) -> dict[str, Any]:
    """prometheus.yml for the observability profile."""
    return configuration(
        {
            **{name: _by_dns(name, port) for name, port in jobs(found).items()},
            **{each.store: _static(f"{each.host}:{each.port}") for each in EXPORTERS},
            "prometheus": _static(f"prometheus-own:{PROMETHEUS_PORT}"),
            "alertmanager": _by_dns("alertmanager", ALERTMANAGER_PORT),
        },
        rules=["/etc/prometheus/rules/recording.yml", "/etc/prometheus/rules/alerts.yml"],
        alertmanager=f"alertmanager:{ALERTMANAGER_PORT}",
        every="15s",
    )


def local(
    ports: Mapping[str, int], *, prometheus: int, alertmanager: int, rules: list[str], every: str
) -> dict[str, Any]:
    """prometheus.yml for local processes; `ports` is the port of each job's metrics on this machine."""
    return configuration(
        {
            **{name: _static(f"127.0.0.1:{port}") for name, port in ports.items()},
            "prometheus": _static(f"127.0.0.1:{prometheus}"),
            "alertmanager": _static(f"127.0.0.1:{alertmanager}"),
        },
        rules=rules,
        alertmanager=f"127.0.0.1:{alertmanager}",
        every=every,
    )


def configuration(
    targets: Mapping[str, Mapping[str, Any]], *, rules: list[str], alertmanager: str, every: str
) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every, "scrape_timeout": _timeout(every)},
        "rule_files": rules,
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            # A process that shows more than this shows something that a client chooses.
            {"job_name": name, "sample_limit": 10000, **how}
            for name, how in targets.items()
        ],
    }


def _timeout(every: str) -> str:
    return min(every, "5s", key=lambda duration: int(duration.removesuffix("s")))


def _by_dns(name: str, port: int) -> dict[str, Any]:
    return {"dns_sd_configs": [{"names": [name], "type": "A", "port": port, "refresh_interval": "5s"}]}


def _static(address: str) -> dict[str, Any]:
    return {"static_configs": [{"targets": [address]}]}
