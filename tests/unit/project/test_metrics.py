"""The metrics of every kind of process, by Prometheus' conventions: https://prometheus.io/docs/practices/naming/

What it scrapes is what `/metrics` shows. Kong's own names are Kong's.
"""

import asyncio
import importlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from common.telemetry.durations import Durations, Named
from devstack import settings, topology
from devstack.declaration import Process, declaration
from devstack.secret_store import Secrets
from frontend_proxy.metrics import Metrics
from kong.plugins.runtime import metrics as plugin_metrics

FOUND = declaration()
SHOWN = FOUND.of_kind("service", "plugin", "front")

LABELS = frozenset(
    {
        *("method", "route", "status", "kind", "journey", "target", "outcome", "state"),
        *("event", "fate", "reason", "goal", "movement", "currency", "upstream"),
        *("plugin", "phase", "verdict", "ending"),
        "le",
    }
)
"""Each has few values that we choose: no id, no address of a client, no text that somebody typed."""

OF_ALL = ("process_", "http_", "telemetry_", "event_loop_")
PREFIXES: Mapping[str, tuple[str, ...]] = {
    "service": (*OF_ALL, "admin_", "outbox_", "postgres_", "redis_", "revocations_"),
    "front": (*OF_ALL, "frontend_"),
    "plugin": ("kong_plugin_", "telemetry_", "event_loop_", "redis_"),
}
OWN = {"payment": "payments_"}  # its tables' name, and what there are many of
NO_BASE_UNIT = re.compile(r"_(?:ms|milliseconds|minutes|hours|days|kilobytes|megabytes|percent)(?:_|$)")


@cache
def _exposition(name: str) -> str:
    process = FOUND.processes[name]
    if process.kind == "front":
        return generate_latest(Metrics().registry).decode()
    if process.kind == "plugin":
        importlib.import_module("kong.plugins.runtime.worker")
        for plugin in FOUND.plugins:
            importlib.import_module(f"{plugin.package}.plugin")
        return plugin_metrics.exposition({"plugin": name})
    return asyncio.run(_asked(_built(process)))


def _built(process: Process) -> Litestar:
    module = importlib.import_module(f"{process.package}.settings")
    secrets = cast(Secrets, {secret.lower(): value for secret, value in FOUND.secrets().items()})
    told = topology.told(process, settings.read({}), secrets)
    app = importlib.import_module(f"{process.package}.app")
    built: Litestar = app.build(
        importlib.import_module("services.chassis.settings").read(module.Settings, told)
    )
    return built


async def _asked(app: Litestar) -> str:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        return (await client.get("/metrics")).text


@cache
def _declared(name: str) -> Mapping[str, tuple[str, ...]]:
    """The labels of each metric of a service or the front: one that nothing was counted in yet shows none."""
    found: dict[str, tuple[str, ...]] = {}
    declare = MetricWrapperBase.__init__

    def recorded(self: Any, name: str, documentation: str, labelnames: Any = (), **more: Any) -> None:
        found[name] = tuple(labelnames)
        declare(self, name, documentation, labelnames, **more)

    begin = Durations.__init__

    def timed(self: Any, registry: Any, count: Named, seconds: Named, labels: Any, **more: Any) -> None:
        found[f"{count.name}_total"] = found[seconds.name] = tuple(labels)
        begin(self, registry, count, seconds, labels, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MetricWrapperBase, "__init__", recorded)
        patch.setattr(Durations, "__init__", timed)
        process = FOUND.processes[name]
        _ = Metrics() if process.kind == "front" else _built(process)
    return found


def families(name: str) -> list[Metric]:
    return list(text_string_to_metric_families(_exposition(name)))


EACH = [process.name for process in SHOWN]


@pytest.mark.parametrize("name", EACH)
def test_names_and_units(name: str) -> None:
    process = FOUND.processes[name]
    own = OWN.get(name, f"{name.replace('-', '_')}_")
    for family in families(name):
        assert re.fullmatch(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", family.name), family.name
        assert family.name.startswith((*PREFIXES[process.kind], *_owns(process, own))), family.name
        assert not NO_BASE_UNIT.search(family.name), f"{family.name}: seconds and bytes"
        assert family.documentation.endswith("."), f"{family.name}: {family.documentation!r}"
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_bytes")), family.name
        if family.type == "gauge":
            assert not re.search(r"_(?:total|sum|count|bucket|created)$", family.name), family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name


def _owns(process: Process, own: str) -> tuple[str, ...]:
    # All plugins are imported here; in its own process each has its own metrics alone.
    every = tuple(f"{plugin.name.replace('-', '_')}_" for plugin in FOUND.plugins)
    return every if process.kind == "plugin" else (own,)


@pytest.mark.parametrize("name", EACH)
def test_labels_have_few_values(name: str) -> None:
    for family in families(name):
        for sample in family.samples:
            assert set(sample.labels) <= LABELS, family.name
            assert not {"job", "instance"} & set(sample.labels), f"{family.name}: those are the scraper's"


@pytest.mark.parametrize("process", [p for p in SHOWN if p.kind != "plugin"], ids=lambda p: p.name)
def test_labels_without_a_count_have_few_values_too(process: Process) -> None:
    declared = _declared(process.name)
    assert declared["http_requests_total"]
    assert {name: labels for name, labels in declared.items() if not set(labels) <= LABELS} == {}


@pytest.mark.parametrize("process", [p for p in SHOWN if p.kind != "plugin"], ids=lambda p: p.name)
def test_requests_hops_and_the_loop_are_measured_alike(process: Process) -> None:
    """RED for what comes in and for what goes out, and whether the loop keeps up."""
    shown = {family.name: family.type for family in families(process.name)}
    expected = {
        "http_requests": "counter",
        "http_request_duration_seconds": "histogram",
        "http_requests_in_flight": "gauge",
        "event_loop_lag_seconds": "histogram",
        "process_cpu_seconds": "counter",
        "process_resident_memory_bytes": "gauge",
        "telemetry_spans": "counter",
    }
    if process.calls and process.name != "catalog":  # which calls auth for its keys alone
        expected |= {"http_client_requests": "counter", "http_client_request_duration_seconds": "histogram"}
    if process.database:
        expected |= {
            "postgres_pool_connections": "gauge",
            "postgres_pool_connections_limit": "gauge",
            "postgres_pool_waiting": "gauge",
            "postgres_connection_wait_seconds": "histogram",
            "postgres_connection_failures": "counter",
            "outbox_attempts": "counter",
            "outbox_pending": "gauge",
            "outbox_dead_letters": "gauge",
            "outbox_oldest_seconds": "gauge",
        }
    if process.kind == "service" and process.name != "auth":  # which ends the sessions itself
        expected |= {"revocations_current": "gauge", "revocations_known": "gauge"}
    assert {name: shown.get(name) for name in expected} == expected


@pytest.mark.parametrize("process", [p for p in SHOWN if p.kind == "plugin"], ids=lambda p: p.name)
def test_plugins_show_their_events_and_their_loop(process: Process) -> None:
    shown = {family.name: family.type for family in families(process.name)}
    expected = {
        "kong_plugin_events": "counter",
        "kong_plugin_event_seconds": "histogram",
        "kong_plugin_running_events": "gauge",
        "kong_plugin_connections": "gauge",
        "event_loop_lag_seconds": "histogram",
    }
    assert {name: shown.get(name) for name in expected} == expected


def test_one_name_is_one_thing_in_every_process() -> None:
    met: dict[str, str] = {}
    for process in SHOWN:
        for family in families(process.name):
            assert met.setdefault(family.name, family.type) == family.type, family.name


def test_no_process_shows_when_a_series_began() -> None:
    """`_created` would be a third of all series, and tell Prometheus nothing."""
    for process in SHOWN:
        assert "_created" not in _exposition(process.name), process.name


async def test_a_service_counts_what_it_answers() -> None:
    app = _built(FOUND.processes["bff"])
    await _asked(app)
    assert 'http_requests_total{method="GET",route="/metrics",status="200"} 1.0' in await _asked(app)
