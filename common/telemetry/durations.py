"""How many, and how long: a counter and a histogram of the same events, for what every request does.

prometheus-client takes a lock for each number, and a dozen calls for both. Here one thread counts, the event loop's;
another may show the numbers meanwhile.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Named(NamedTuple):
    """A metric's name and its help."""

    name: str
    told: str


class Durations(Collector):
    """`labels` are the counter's; the histogram has the first `timed` of them. Bounds are seconds."""

    def __init__(
        self,
        registry: CollectorRegistry,
        count: Named,
        seconds: Named,
        labels: Sequence[str],
        *,
        timed: int,
        bounds: Sequence[float],
    ) -> None:
        self._count, self._seconds = count, seconds
        self._labels, self._timed = labels, timed
        self._bounds = bounds
        self._les: list[str] = [
            floatToGoString(bound)  # type: ignore[no-untyped-call]
            for bound in (*bounds, float("inf"))
        ]
        self._counts: dict[tuple[str, ...], int] = {}
        self._buckets: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        registry.register(self)

    def begin(self, *labels: str) -> None:
        """Shows a count of 0, so that the first event is a change."""
        self._counts.setdefault(labels, 0)

    def observe(self, labels: tuple[str, ...], seconds: float) -> None:
        self._counts[labels] = self._counts.get(labels, 0) + 1
        series = labels[: self._timed]
        buckets = self._buckets.get(series)
        if buckets is None:
            buckets = self._buckets[series] = [0] * len(self._les)
            self._sums[series] = 0.0
        buckets[bisect_left(self._bounds, seconds)] += 1
        self._sums[series] += seconds

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        counts = CounterMetricFamily(*self._count, labels=self._labels)
        for labels, count in list(self._counts.items()):
            counts.add_metric(labels, count)
        yield counts
        durations = HistogramMetricFamily(*self._seconds, labels=self._labels[: self._timed])
        for labels, buckets in list(self._buckets.items()):
            upto = accumulate(buckets)
            durations.add_metric(labels, list(zip(self._les, upto, strict=True)), self._sums[labels])
        yield durations
