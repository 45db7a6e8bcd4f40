"""kong/plugins/prometheus: requests by route and status, their latencies, and their bytes, under Kong's names.

What nginx alone knows (connections, timers, shared memory) is left out. Bytes are those of bodies: the stand-in does
not count heads. As Kong's, the counts outlive a reload.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from devstack.gateway.exchange import Exchange, Source
from devstack.gateway.plugins import Attachment

KONG_BOUNDS_MS = (1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000)
UPSTREAM_BOUNDS_MS = (25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10000, 30000, 60000)

Labels = tuple[tuple[str, str], ...]


class Histogram:
    def __init__(self, bounds: tuple[int, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self, name: str, labels: Labels) -> Iterator[str]:
        total = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            yield f"{name}_bucket{_braced((*labels, ('le', bound)))} {total}"
        yield f"{name}_count{_braced(labels)} {total}"
        yield f"{name}_sum{_braced(labels)} {self._sum:g}"


class GatewayMetrics:
    """Of one process. The labels are names in kong.yml and statuses: as many as the template has routes."""

    def __init__(self) -> None:
        self._requests: Counter[Labels] = Counter()
        self._bytes: Counter[Labels] = Counter()
        self._latencies: dict[str, dict[Labels, Histogram]] = {"kong": {}, "upstream": {}, "request": {}}

    def answered(self, exchange: Exchange, config: Mapping[str, Any], ended: float) -> None:
        """`ended` in Unix seconds. As in Kong, a request that no route took is not counted."""
        if exchange.match is None or exchange.answer is None:
            return
        route = exchange.match.route
        place: Labels = (("service", route.service.name), ("route", route.name))
        workspace, consumer = ("workspace", "default"), ("consumer", "")
        if config.get("status_code_metrics"):
            code = ("code", str(exchange.answer.status))
            source = ("source", "service" if exchange.answer.source is Source.SERVICE else "kong")
            self._requests[(*place, code, source, workspace, consumer)] += 1
        if config.get("bandwidth_metrics"):
            for direction, size in (("ingress", len(exchange.body)), ("egress", exchange.sent_bytes)):
                if size:
                    self._bytes[(*place, ("direction", direction), workspace, consumer)] += size
        if config.get("latency_metrics"):
            whole = (ended - exchange.started) * 1000
            self._observe("request", (*place, workspace), whole)
            waited = (exchange.upstream_latency or 0) * 1000
            if exchange.upstream_latency is not None:
                self._observe("upstream", (*place, workspace), waited)
            self._observe("kong", (*place, workspace), max(whole - waited, 0))

    def exposition(self, received: int) -> str:
        """Prometheus' text format. `received` is the number of requests on all connections."""
        return "\n".join(self._lines(received)) + "\n"

    def _observe(self, what: str, labels: Labels, milliseconds: float) -> None:
        bounds = KONG_BOUNDS_MS if what == "kong" else UPSTREAM_BOUNDS_MS
        self._latencies[what].setdefault(labels, Histogram(bounds)).observe(milliseconds)

    def _lines(self, received: int) -> Iterator[str]:
        yield from _head(
            "kong_bandwidth_bytes", "counter", "Total bandwidth (ingress/egress) throughput in bytes"
        )
        yield from (f"kong_bandwidth_bytes{_braced(labels)} {n}" for labels, n in sorted(self._bytes.items()))
        yield from _head(
            "kong_datastore_reachable", "gauge", "Datastore reachable from Kong, 0 is unreachable"
        )
        yield "kong_datastore_reachable 1"
        yield from _head(
            "kong_http_requests_total", "counter", "HTTP status codes per consumer/service/route in Kong"
        )
        yield from (
            f"kong_http_requests_total{_braced(labels)} {n}" for labels, n in sorted(self._requests.items())
        )
        for what, series in self._latencies.items():
            name = f"kong_{what}_latency_ms"
            yield from _head(name, "histogram", f"Latency ({what}) for each service/route in Kong")
            for labels, histogram in sorted(series.items()):
                yield from histogram.samples(name, labels)
        yield from _head("kong_nginx_requests_total", "gauge", "Number of requests total")
        yield f'kong_nginx_requests_total{{node_id="stand-in",subsystem="http"}} {received}'
        yield from _head("kong_node_info", "gauge", "Kong Node metadata information")
        yield 'kong_node_info{node_id="stand-in",version="3.9.3"} 1'


class Prometheus(Attachment):
    name = "prometheus"
    priority = 13

    def __init__(self, config: Mapping[str, Any], metrics: GatewayMetrics) -> None:
        self._config = config
        self._metrics = metrics

    def log(self, exchange: Exchange) -> None:
        self._metrics.answered(exchange, self._config, time.time())


def _head(name: str, kind: str, documentation: str) -> tuple[str, str]:
    return f"# HELP {name} {documentation}", f"# TYPE {name} {kind}"


def _braced(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"
