"""The pool of connections, for `/metrics`: how many are used, who waits for one and how long, how often in vain."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.chassis.postgres.engine import PooledEngine

BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class PoolMetrics(Collector):
    def __init__(self, engine: PooledEngine, limit: int, registry: CollectorRegistry) -> None:
        self._engine = engine
        self._limit = limit
        self._waiting = 0
        self._seconds = Histogram(
            "postgres_connection_wait_seconds",
            "Time until the pool gave a connection, or none.",
            buckets=BOUNDS_S,
            registry=registry,
        )
        self._failures = Counter(
            "postgres_connection_failures_total",
            "Waits for a connection that ended without one.",
            registry=registry,
        )
        registry.register(self)

    @contextmanager
    def wait(self) -> Iterator[None]:
        """Around every wait for a connection of the pool."""
        started = time.perf_counter()
        self._waiting += 1
        try:
            yield
        except Exception:
            self._failures.inc()
            raise
        finally:
            self._waiting -= 1
            self._seconds.observe(time.perf_counter() - started)

    def had_at_once(self) -> None:
        """Instead of a wait: looking at the clock would take longer than that took."""
        self._seconds.observe(0.0)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        pool = self._engine.pool
        idle, size = (pool.get_idle_size(), pool.get_size()) if pool is not None else (0, 0)
        idle += len(self._engine.at_hand)
        connections = GaugeMetricFamily(
            "postgres_pool_connections", "Connections of the pool that are open.", labels=["state"]
        )
        connections.add_metric(["idle"], idle)
        connections.add_metric(["used"], size - idle)
        yield connections
        yield GaugeMetricFamily(
            "postgres_pool_connections_limit", "Most connections of the pool.", value=self._limit
        )
        yield GaugeMetricFamily(
            "postgres_pool_waiting", "Transactions and statements that wait for a connection.", self._waiting
        )
