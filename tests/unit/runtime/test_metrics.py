"""Counters of several workers, shown as one."""

import mmap

import pytest

from kong.plugins.runtime import metrics


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_memory", metrics._Memory())
    monkeypatch.setattr(metrics, "_families", {})


def lines() -> list[str]:
    return metrics.exposition({"plugin": "p"}).splitlines()


def test_a_counter_is_shown_with_its_labels() -> None:
    counter = metrics.counter("things_total", "Things.", kind=("a", "b"))
    counter.labels(kind="b").inc(3)
    assert lines() == [
        "# HELP things_total Things.",
        "# TYPE things_total counter",
        'things_total{plugin="p",kind="a"} 0',
        'things_total{plugin="p",kind="b"} 3',
    ]


def test_values_that_were_not_declared_are_refused() -> None:
    with pytest.raises(KeyError):
        metrics.counter("things_total", "Things.", kind=("a",)).labels(kind="z")


def test_a_histogram_counts_up_to_its_bounds() -> None:
    histogram = metrics.histogram("work_seconds", "Work.", phase="access")
    histogram.observe(100_000)  # exactly the first bound, 0.1 ms
    histogram.observe(3_000_000)
    histogram.observe(60_000_000_000)
    shown = lines()
    assert 'work_seconds_bucket{plugin="p",phase="access",le="0.0001"} 1' in shown
    assert 'work_seconds_bucket{plugin="p",phase="access",le="0.005"} 2' in shown
    assert 'work_seconds_bucket{plugin="p",phase="access",le="+Inf"} 3' in shown
    assert 'work_seconds_sum{plugin="p",phase="access"} 60.003100000' in shown


def test_the_rows_of_all_workers_are_added_and_gauges_start_at_zero() -> None:
    counter, gauge = metrics.counter("things_total", "Things."), metrics.gauge("open", "Open.")
    rows = memoryview(mmap.mmap(-1, 2 * metrics.ROW_BYTES))
    for row in (0, 1):
        metrics.attach(rows, row)
        counter.inc()
        gauge.set(2)
    metrics.attach(rows, 1)  # the second worker was replaced
    assert 'things_total{plugin="p"} 2' in lines()
    assert 'open{plugin="p"} 2' in lines()


def test_a_name_is_declared_once() -> None:
    metrics.counter("things_total", "Things.")
    with pytest.raises(ValueError, match="twice"):
        metrics.counter("things_total", "Things.")
