"""Spans of a request: which are exported, what is in them, and what a collector that is down costs."""

import socket
import time
from collections.abc import Iterator, Sequence

import pytest

from common.request_ids import RequestIds, from_headers
from common.telemetry import exporter, spans, tracing
from common.telemetry import metrics as telemetry
from common.telemetry.exporter import Exporter
from common.telemetry.spans import ATTRIBUTES, Kind, Span
from common.telemetry.tracing import Tracer
from tests.collector import collecting

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0{}"


class Kept(list[Span]):
    def take(self, spans: Sequence[Span]) -> None:
        self.extend(spans)


@pytest.fixture(autouse=True)
def nothing_current() -> Iterator[None]:
    token = spans.current.set(None)
    yield
    spans.current.reset(token)


def ids(sampled: bool = True) -> RequestIds:
    return from_headers([], [PARENT.format(int(sampled))])


def request(kept: Kept, *, sampled: bool, status: int = 200, waited: float = 0.1) -> Span:
    span = Tracer(kept.take, 1.0).begin(ids(sampled), "GET")
    with spans.call("POST", "member", 5000) as call:
        assert call is not None
        call.end(201)
    tracing.finish(span, "/api/members/{id}", status, waited)
    return span


def test_a_call_is_a_child_of_its_request_and_carries_its_own_id() -> None:
    kept = Kept()
    span = request(kept, sampled=True)
    call, server = kept
    assert server is span
    assert (server.name, server.kind, server.parent_id) == (
        "GET /api/members/{id}",
        Kind.SERVER,
        "00f067aa0ba902b7",
    )
    assert (call.name, call.kind, call.parent_id) == ("POST", Kind.CLIENT, span.span_id)
    assert call.traceparent == f"00-{span.trace_id}-{call.span_id}-01"


def test_spans_hold_listed_attributes_alone() -> None:
    kept = Kept()
    request(kept, sampled=True, status=503)
    assert {name for span in kept for name in span.attributes} <= ATTRIBUTES


@pytest.mark.parametrize(
    ("sampled", "status", "waited", "exported"),
    [
        (True, 200, 0.1, 2),
        (False, 200, 0.1, 0),
        (False, 404, 0.1, 0),
        (False, 503, 0.1, 2),
        (False, 0, 0.1, 2),
        (False, 200, 1.5, 2),
    ],
)
def test_of_unsampled_requests_those_that_fail_or_are_slow_are_exported(
    sampled: bool, status: int, waited: float, exported: int
) -> None:
    kept = Kept()
    request(kept, sampled=sampled, status=status, waited=waited)
    assert len(kept) == exported


def test_what_ends_after_its_request_follows_its_fate() -> None:
    for sampled, exported in ((True, 2), (False, 0)):
        kept = Kept()
        span = Tracer(kept.take, 1.0).begin(ids(sampled), "GET")
        with spans.call("POST", "member", 5000) as call:
            assert call is not None
            tracing.finish(span, "/", 200, 0.1)
            call.end(200)
        assert len(kept) == exported


def test_a_call_that_raises_has_failed_and_says_only_how() -> None:
    kept = Kept()
    span = Tracer(kept.take, 1.0).begin(ids(), "GET")
    with pytest.raises(OSError, match="secret"), spans.call("GET", "member", 5000):
        raise OSError("secret")
    tracing.finish(span, "/", 200, 0.1)
    assert kept[0].failed
    assert kept[0].attributes["error.type"] == "OSError"


def test_an_endless_request_keeps_a_bounded_number_of_spans() -> None:
    kept = Kept()
    span = Tracer(kept.take, 1.0).begin(ids(), "GET")
    for _ in range(spans.MOST_SPANS * 2):
        with spans.call("GET", "member", 5000) as call:
            assert call is not None
            call.end(200)
    tracing.finish(span, "/", 200, 0.1)
    assert len(kept) == spans.MOST_SPANS + 1
    assert kept[-1] is span


def test_a_method_that_a_client_makes_up_is_in_no_span() -> None:
    kept = Kept()
    span = Tracer(kept.take, 1.0).begin(ids(), "MY-SECRET")
    tracing.finish(span, None, 501, 0.1)
    assert (span.name, span.attributes["http.request.method"]) == ("_OTHER", "_OTHER")


def test_the_parent_decides_where_it_counts_and_chance_elsewhere() -> None:
    always, never = Tracer(Kept().take, 1.0), Tracer(Kept().take, 0.0)
    assert not always.decided(ids(sampled=False), parent_decides=True).sampled
    assert never.decided(ids(sampled=True), parent_decides=True).sampled
    assert not never.decided(ids(sampled=True), parent_decides=False).sampled
    assert always.decided(from_headers([], []), parent_decides=True).sampled
    assert not never.decided(from_headers([], []), parent_decides=True).sampled


def test_outside_of_a_traced_request_nothing_is_recorded() -> None:
    with spans.call("GET", "member", 5000) as call:
        assert call is None
    assert spans.context_of(None) == {}


def test_a_collector_gets_what_was_recorded_at_the_latest_when_the_process_ends() -> None:
    with collecting() as collector:
        sender = Exporter("member", collector.url)
        sender.start()
        kept = Kept()
        span = request(kept, sampled=True)
        sender.add(kept)
        sender.stop()
        call, server = collector.spans(span.trace_id)
        assert (server.service, server.kind, server.name) == ("member", 2, "GET /api/members/{id}")
        assert call.parent_id == server.span_id
        assert call.attributes == {
            "http.request.method": "POST",
            "server.address": "member",
            "server.port": 5000,
            "http.response.status_code": 201,
        }
        assert (sender.exported, sender.dropped) == (2, 0)


def test_a_collector_that_refuses_or_is_not_there_costs_a_counter_alone() -> None:
    with collecting() as collector:
        collector.status = 503
        senders = [Exporter("member", collector.url), Exporter("member", "http://127.0.0.1:1")]
        for sender in senders:
            sender.start()
            kept = Kept()
            request(kept, sampled=True)
            sender.add(kept)
            sender.stop()
            assert (sender.exported, sender.dropped) == (0, 2)


def test_whoever_counts_hears_of_each_span() -> None:
    heard: list[tuple[str, int]] = []
    kept = Kept()
    request(kept, sampled=True)
    with collecting() as collector:
        sender = Exporter("member", collector.url, lambda *told: heard.append(told))
        sender.start()
        sender.add(kept)
        sender.stop()
        collector.status = 503
    late = Exporter("member", "http://127.0.0.1:1", lambda *told: heard.append(told))
    late.start()
    late.add(kept)
    late.stop()
    assert heard == [("exported", 2), ("dropped", 2)]


def test_what_was_dropped_is_in_the_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Exporter("member", "http://127.0.0.1:1")
    sender.exported, sender.dropped = 5, 3
    monkeypatch.setattr(tracing, "_exporter", sender)
    registry = telemetry.new_registry()
    shown = {
        outcome: registry.get_sample_value("telemetry_spans_total", {"outcome": outcome})
        for outcome in ("exported", "dropped")
    }
    assert shown == {"exported": 5, "dropped": 3}


def test_a_queue_that_nobody_empties_is_bounded() -> None:
    sender = Exporter("member", "http://127.0.0.1:1")
    kept = Kept()
    request(kept, sampled=True)
    for _ in range(exporter.MOST_WAITING):
        sender.add(kept)
    assert sender.dropped == exporter.MOST_WAITING


def test_a_collector_that_hangs_costs_no_wait_and_a_bounded_queue() -> None:
    kept = Kept()
    request(kept, sampled=True)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = Exporter("member", f"http://127.0.0.1:{silent.getsockname()[1]}")
        sender.start()
        sender.add(kept)
        accepted, _ = silent.accept()  # it sends, and nobody will answer
        added = len(kept)
        for _ in range(3 * exporter.MOST_WAITING):
            sender.add(kept)
            added += len(kept)
            assert sender.waiting <= exporter.MOST_WAITING + exporter.BATCH
        assert sender.waiting + sender.dropped + sender.exported == added
        assert sender.exported == 0
        sender.stop()
        accepted.close()


def test_a_collector_that_hangs_holds_up_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = Exporter("member", f"http://127.0.0.1:{silent.getsockname()[1]}")
        sender.start()
        kept = Kept()
        request(kept, sampled=True)
        sender.add(kept)
        started = time.monotonic()
        sender.stop()
        assert time.monotonic() - started < 30  # a machine under load; it waits STOP_WITHIN_S
