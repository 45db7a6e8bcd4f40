"""What `docker compose --profile observability` adds: no way in, and no more of a network than it needs."""

import re
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import yaml

from devstack import settings
from devstack.declaration import ROOT, declaration
from devstack.observability import panels, scraping
from devstack.observability.dashboards import dashboards
from devstack.observability.exporters import EXPORTERS, MAY_BE_MISSING, Exporter
from devstack.observability.files import DIRECTORY
from devstack.observability.objectives import objectives
from tests.unit.project.compose_files import interpolated, load, published

WITH, WITHOUT = load("compose.yaml", "observability"), load("compose.yaml")
ADDED: dict[str, Any] = {k: v for k, v in WITH["services"].items() if k not in WITHOUT["services"]}
GUESTS = {
    "prometheus": {"upstreams", "plugin_data", "edge"},
    "collector": {"upstreams", "edge", "plugin_data"},
    "postgres_exporter": {"databases"},
    "redis_exporter": {"revocations"},
}
"""Who is on a network of the stack: to scrape, to be sent spans, and to measure a store."""


def test_nothing_of_it_runs_without_the_profile() -> None:
    assert set(ADDED) == {
        *("prometheus", "alertmanager", "grafana", "jaeger", "loki", "collector", "observability_loopback"),
        *("postgres_exporter", "redis_exporter"),
    }
    assert all(service["profiles"] == ["observability"] for service in ADDED.values())
    assert "observability" not in str(load("compose.prod.yaml"))


@pytest.mark.parametrize("name", ADDED)
def test_each_container_runs_hardened_and_bounded(name: str) -> None:
    service = ADDED[name]
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert re.fullmatch(r"\d+m", service["mem_limit"])
    # A variable, so that a digest can stand there.
    assert re.match(r"\$\{[A-Z_]+_IMAGE:-", service["image"])
    for volume in service.get("volumes", []):
        assert volume.endswith(":ro") or re.match(r"[a-z]+_data:", volume), volume


def test_its_memory_is_what_the_document_says() -> None:
    limits = {name: int(service["mem_limit"].removesuffix("m")) for name, service in ADDED.items()}
    document = (ROOT / "docs/observability.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (\d+) MB \|", document, re.MULTILINE))
    assert {name: int(row) for name, row in rows.items()} == limits
    assert f"{sum(limits.values())} MB in all" in document


@pytest.mark.parametrize("exporter", EXPORTERS, ids=lambda exporter: exporter.store)
def test_an_exporter_is_told_here_what_make_observe_tells_it(exporter: Exporter) -> None:
    service = ADDED[f"{exporter.store}_exporter"]
    assert service["networks"]["observability"] == {"aliases": [exporter.host]}
    [listens] = service["command"]
    assert listens.endswith(f"web.listen-address={exporter.host}:{exporter.port}")
    observed = exporter.command(settings.read({}), {f"{exporter.store}_exporter_password": "a-secret"})
    assert "a-secret" in observed.env.values()
    assert "a-secret" not in " ".join(observed.argv)
    assert set(service["environment"]) == set(observed.env)
    own = re.compile(r"_(?:URI|ADDR|PASS|PASSWORD|PATH)$")  # where the store is, and the file of queries
    told = {name: value for name, value in service["environment"].items() if not own.search(name)}
    assert told == {name: value for name, value in observed.env.items() if not own.search(name)}


def test_an_exporter_of_somebody_elses_store_does_not_run() -> None:
    for exporter in EXPORTERS:
        elsewhere = settings.read({f"DEVSTACK_{exporter.store.upper()}": "store.example:1"})
        assert "somebody else's" in exporter.missing(elsewhere)


def test_what_may_be_missing_without_an_exporter_says_so() -> None:
    of_stores = re.compile(
        r"\b(?:pg_up|redis_up|postgres_(?:server|database|table|connections_open)|redis_(?!commands?_))"
    )
    for condition in objectives().conditions:
        assert bool(of_stores.search(condition.expr)) == (condition.empty == MAY_BE_MISSING), condition.name
    for dashboard in dashboards(objectives()):
        for panel in dashboard.panels:
            asks = any(of_stores.search(query.expr) for query in panel.queries)
            assert asks == (panel.empty == MAY_BE_MISSING), panel.title


def test_it_is_seen_from_this_machine_alone() -> None:
    outside = {(name, address) for name, service in ADDED.items() for address, _ in published(service)}
    assert outside == {("observability_loopback", "127.0.0.1")}
    door = WITH["networks"]["observability_door"]["ipam"]["config"][0]["subnet"]
    address = ADDED["observability_loopback"]["networks"]["observability_door"]["ipv4_address"]
    assert ADDED["observability_loopback"]["command"][4] == address
    assert ip_address(interpolated(address)) in ip_network(interpolated(door))


def test_who_watches_is_on_no_network_without_a_reason() -> None:
    own = set(WITH["networks"]) - set(WITHOUT["networks"])
    assert own == {"observability", "observability_door", "alerts_out"}
    for name, service in ADDED.items():
        assert set(service["networks"]) - own == GUESTS.get(name, set()), name
    ways_out = {net for net in own if not WITH["networks"][net].get("internal")}
    behind = {net: [n for n, service in ADDED.items() if net in service["networks"]] for net in ways_out}
    assert behind == {"observability_door": ["observability_loopback"], "alerts_out": ["alertmanager"]}
    # It can reach stores and services: nobody there may reach it.
    assert "--web.listen-address=prometheus-own:9090" in ADDED["prometheus"]["command"]
    assert ADDED["prometheus"]["networks"]["observability"] == {"aliases": ["prometheus-own"]}


def test_prometheus_reaches_everything_that_it_scrapes() -> None:
    networks = set(ADDED["prometheus"]["networks"])
    for job in scraping.jobs(declaration()):
        assert networks & set(WITH["services"][job]["networks"]), job


def test_its_networks_are_small_ones_of_another_range() -> None:
    taken = [
        ip_network(interpolated(net["ipam"]["config"][0]["subnet"])) for net in WITH["networks"].values()
    ]
    assert not [(a, b) for a in taken for b in taken if a is not b and a.overlaps(b)]
    for name, network in WITH["networks"].items():
        members = [service for service in WITH["services"].values() if name in service["networks"]]
        size = ip_network(interpolated(network["ipam"]["config"][0]["subnet"])).num_addresses
        assert size - 3 >= 2 * len(members), name


def test_grafana_has_the_data_sources_that_its_dashboards_name() -> None:
    provisioned = ROOT / DIRECTORY / "grafana/provisioning/datasources/datasources.yml"
    sources = {each["uid"]: each for each in yaml.safe_load(provisioned.read_text())["datasources"]}
    assert panels.DATA_SOURCE in sources
    assert sources["loki"]["jsonData"]["derivedFields"][0]["datasourceUid"] in sources
    assert sources["jaeger"]["jsonData"]["tracesToLogsV2"]["datasourceUid"] in sources
    for source in sources.values():
        host = source["url"].removeprefix("http://").partition(":")[0]
        assert host in {*ADDED, "prometheus-own"}, source["url"]
