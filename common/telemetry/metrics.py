"""What became of this process's spans, for its `/metrics`."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from common.telemetry import tracing


class _Spans(Collector):
    def collect(self) -> Iterator[CounterMetricFamily]:
        exported, dropped = tracing.counts()
        family = CounterMetricFamily(
            "telemetry_spans", "Spans that a collector took, and that were dropped.", labels=["outcome"]
        )
        family.add_metric(["exported"], exported)
        family.add_metric(["dropped"], dropped)
        yield family


def register(registry: CollectorRegistry) -> None:
    registry.register(_Spans())
