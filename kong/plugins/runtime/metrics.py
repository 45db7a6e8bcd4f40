"""Counters that every worker process adds to and any of them can show, in Prometheus' text format.

Each worker owns a row of 64-bit cells in memory that all share, so adding is one store without a lock, a total is a
sum over rows, and what a killed worker had counted stays counted. The cells of a metric are where it was declared:
declare at import time only, so that every process that runs the same code has the same layout.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

CELLS = 4096
"""Cells a worker: about 300 labelled counters and 100 histograms."""
ROW_BYTES = CELLS * 8

LATENCY_BOUNDS = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    10.0,
)
"""Seconds."""

Cells: TypeAlias = "memoryview | array[int]"


class _Memory:
    """The cells of this process; its own until `attach` puts them where the other workers see them."""

    def __init__(self) -> None:
        self.own: Cells = array("q", bytes(ROW_BYTES))
        self.rows: list[Cells] = [self.own]
        self.taken = 1  # cell 0 is the heartbeat

    def take(self, count: int) -> int:
        start = self.taken
        if start + count > CELLS:
            raise ValueError(f"metrics need more than {CELLS} cells")
        self.taken += count
        return start

    def total(self, cell: int) -> int:
        return sum(row[cell] for row in self.rows)


class Counter:
    """A number that only grows."""

    __slots__ = ("_cell", "_memory")

    def __init__(self, memory: _Memory) -> None:
        self._memory = memory
        self._cell = memory.take(1)

    def inc(self, amount: int = 1) -> None:
        self._memory.own[self._cell] += amount

    def samples(self, name: str, labels: str) -> Iterator[str]:
        yield f"{name}{_braced(labels)} {self._memory.total(self._cell)}"


class Gauge(Counter):
    """A number that is set; zero again when its worker starts."""

    __slots__ = ()

    def set(self, value: int) -> None:
        self._memory.own[self._cell] = value


class Histogram:
    """How long something took, by upper bounds in seconds."""

    __slots__ = ("_bounds", "_cells", "_memory")

    def __init__(self, memory: _Memory, bounds: Sequence[float]) -> None:
        self._memory = memory
        self._bounds = tuple(int(bound * 1e9) for bound in bounds)
        self._cells = memory.take(len(bounds) + 2)

    def observe(self, nanoseconds: int) -> None:
        own, cells = self._memory.own, self._cells
        own[cells] += nanoseconds
        own[cells + 1 + bisect_left(self._bounds, nanoseconds)] += 1

    def samples(self, name: str, labels: str) -> Iterator[str]:
        count = 0
        for place, bound in enumerate((*self._bounds, None)):
            count += self._memory.total(self._cells + 1 + place)
            edge = 'le="+Inf"' if bound is None else f'le="{bound / 1e9:g}"'
            yield f"{name}_bucket{_braced(labels, edge)} {count}"
        yield f"{name}_sum{_braced(labels)} {self._memory.total(self._cells) / 1e9:.9f}"
        yield f"{name}_count{_braced(labels)} {count}"


class LabelledCounter:
    """A counter for each combination of label values, all declared up front."""

    def __init__(self, memory: _Memory, labels: Mapping[str, Sequence[str]]) -> None:
        self._names = tuple(labels)
        self._series = {values: Counter(memory) for values in itertools.product(*labels.values())}

    def labels(self, **values: str) -> Counter:
        """The series of these values. Raises KeyError for values that were not declared."""
        return self._series[tuple([values[name] for name in self._names])]

    def inc(self) -> None:
        """Add to the one series of a counter without labels."""
        self._series[()].inc()

    def samples(self, name: str, labels: str) -> Iterator[str]:
        for values, series in self._series.items():
            own = ",".join(f'{key}="{value}"' for key, value in zip(self._names, values, strict=True))
            yield from series.samples(name, ",".join(filter(None, (labels, own))))


Metric: TypeAlias = Counter | Histogram | LabelledCounter

_memory = _Memory()
_families: dict[str, tuple[str, str, list[tuple[str, Metric]]]] = {}


def counter(name: str, documentation: str, **labels: Sequence[str]) -> LabelledCounter:
    """Declare a counter, its name ending in `_total`; `labels` are the values that each label can have."""
    metric = LabelledCounter(_memory, labels)
    _declare(name, documentation, "counter", "", metric)
    return metric


def gauge(name: str, documentation: str) -> Gauge:
    metric = Gauge(_memory)
    _declare(name, documentation, "gauge", "", metric)
    return metric


def histogram(name: str, documentation: str, **labels: str) -> Histogram:
    """Declare one series of a histogram of seconds; the same name with other labels is another series."""
    metric = Histogram(_memory, LATENCY_BOUNDS)
    text = ",".join(f'{key}="{value}"' for key, value in labels.items())
    _declare(name, documentation, "histogram", text, metric)
    return metric


def attach(rows: memoryview, own: int) -> None:
    """Count in row `own` of shared memory from now on; what was counted before is lost. Gauges start at zero."""
    cells = rows.cast("q")
    count = len(cells) // CELLS
    _memory.rows = [cells[row * CELLS : (row + 1) * CELLS] for row in range(count)]
    _memory.own = _memory.rows[own]
    for _, _, series in _families.values():
        for _, metric in series:
            if isinstance(metric, Gauge):
                metric.set(0)


def beat() -> None:
    """Tell the supervisor that this worker's event loop turns."""
    _memory.own[0] += 1


def exposition(constant: Mapping[str, str]) -> str:
    """Every metric over all workers, each sample with the constant labels."""
    return "\n".join(_lines(constant)) + "\n"


def _lines(constant: Mapping[str, str]) -> Iterable[str]:
    fixed = ",".join(f'{key}="{value}"' for key, value in constant.items())
    for name, (documentation, kind, series) in _families.items():
        yield f"# HELP {name} {documentation}"
        yield f"# TYPE {name} {kind}"
        for labels, metric in series:
            yield from metric.samples(name, ",".join(filter(None, (fixed, labels))))


def _declare(name: str, documentation: str, kind: str, labels: str, metric: Metric) -> None:
    family = _families.setdefault(name, (documentation, kind, []))
    if any(labels == taken for taken, _ in family[2]):
        raise ValueError(f"metric {name} is declared twice")
    family[2].append((labels, metric))


def _braced(*labels: str) -> str:
    return "{" + ",".join(filter(None, labels)) + "}" if any(labels) else ""
