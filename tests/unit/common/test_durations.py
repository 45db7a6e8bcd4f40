"""What is counted here reads as what prometheus-client counts."""

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest

from common.telemetry.durations import Durations, Named
from common.telemetry.metrics import REQUEST_BOUNDS_S


def test_the_text_is_that_of_a_counter_and_a_histogram() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    durations = Durations(
        ours,
        Named("things", "How many."),
        Named("thing_seconds", "How long."),
        ("kind", "status"),
        timed=1,
        bounds=REQUEST_BOUNDS_S,
    )
    count = Counter("things_total", "How many.", ("kind", "status"), registry=theirs)
    seconds = Histogram("thing_seconds", "How long.", ("kind",), buckets=REQUEST_BOUNDS_S, registry=theirs)
    durations.begin("a", "500")
    count.labels("a", "500")
    for number, taken in enumerate((0.0, 0.0025, 0.00251, 0.25, 0.75, 30.0, 31.0)):
        labels = ("a" if number % 2 else "b", "200")
        durations.observe(labels, taken)
        count.labels(*labels).inc()
        seconds.labels(labels[0]).observe(taken)
    assert generate_latest(ours) == generate_latest(theirs)
