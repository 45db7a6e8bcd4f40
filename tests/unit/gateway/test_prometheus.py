"""The stand-in's metrics: Kong's names and labels, on the port of Kong's Status API."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from devstack.throwaway import free_ports
from tests.unit.gateway.echo import Echo
from tests.unit.gateway.raw_http import request
from tests.unit.gateway.running import gateway

DOCUMENT = """
_format_version: "3.0"
services:
  - name: shop
    url: http://127.0.0.1:{upstream}
    routes: [{{name: things, paths: [/things], strip_path: false}}]
plugins:
  - name: prometheus
    config: {{status_code_metrics: true, latency_metrics: true, bandwidth_metrics: true}}
"""


async def test_requests_are_counted_by_service_route_and_status(tmp_path: Path) -> None:
    [status_port] = free_ports(1)
    upstream = Echo("shop")
    await upstream.start()
    listen = {"KONG_STATUS_LISTEN": f"127.0.0.1:{status_port}"}
    async with gateway(tmp_path, DOCUMENT.format(upstream=upstream.port), **listen) as running:
        before = await shown(status_port)
        for path in ("/things", "/things/1", "/nowhere"):
            await request(running.port, "GET", path)
        after = await shown(status_port)
    await upstream.stop()
    place = {"service": "shop", "route": "things", "workspace": "default"}
    counted = {**place, "code": "200", "source": "service", "consumer": ""}
    name = "kong_http_requests_total"
    assert after[name, key(counted)] - before.get((name, key(counted)), 0.0) == 2
    assert {dict(labels)["route"] for found, labels in after if found == name} >= {"things"}
    assert "/nowhere" not in str(after)
    for what in ("kong", "upstream", "request"):
        assert after[f"kong_{what}_latency_ms_count", key(place)] >= 2, what
    sent = {**place, "direction": "egress", "consumer": ""}
    assert after["kong_bandwidth_bytes_total", key(sent)] > 0  # the parser adds what Kong leaves out


async def test_the_status_port_says_when_it_is_ready_and_changes_nothing(tmp_path: Path) -> None:
    [status_port] = free_ports(1)
    listen = {"KONG_STATUS_LISTEN": f"127.0.0.1:{status_port}"}
    async with gateway(tmp_path, DOCUMENT.format(upstream=1), **listen):
        asked = [("GET", "/status/ready"), ("GET", "/status"), ("POST", "/config"), ("GET", "/plugins")]
        answers = [(await request(status_port, *one)).status for one in asked]
    assert answers == [200, 200, 405, 404]


def key(labels: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


async def shown(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = await request(port, "GET", "/metrics")
    assert answer.status == 200
    families = text_string_to_metric_families(answer.body.decode())
    return {(s.name, key(s.labels)): s.value for family in families for s in family.samples}
