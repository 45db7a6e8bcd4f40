"""What every process with prometheus-client shows of itself, and what all name alike (docs/observability.md)."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from common.telemetry import tracing

# When a series began: a third more of them, and Prometheus sees a reset of a counter without it.
disable_created_metrics()  # type: ignore[no-untyped-call]

REQUEST_BOUNDS_S = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Of every duration of a request, so that hops compare. Objectives of latency lie on one of them."""


class _Spans(Collector):
    def collect(self) -> Iterator[CounterMetricFamily]:
        exported, dropped = tracing.counts()
        family = CounterMetricFamily(
            "telemetry_spans", "Spans that a collector took, and that were dropped.", labels=["outcome"]
        )
        family.add_metric(["exported"], exported)
        family.add_metric(["dropped"], dropped)
        yield family


def new_registry() -> CollectorRegistry:
    """A registry of the app's own: two apps in one process, as in tests, do not mix their counts."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Spans())
    return registry
