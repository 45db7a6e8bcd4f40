"""Work that another piece of work left to be done goes on in its trace, under its names."""

from collections.abc import Iterator

import pytest

from common import request_ids
from common.telemetry import spans, tracing
from common.telemetry.spans import Kind, Span
from tests.recorded_spans import recorded

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def kept() -> Iterator[list[Span]]:
    with recorded(1.0) as found:
        yield found


def delivered(flags: str = "01", *, apart: bool = False, error: str | None = None) -> None:
    with tracing.continued(
        f"00-{TRACE}-{PARENT}-{flags}", "the-request", "deliver a", {}, apart=apart
    ) as span:
        assert span is not None
        assert tracing.context() == span.traceparent
        ids = request_ids.current.get()
        assert ids is not None and ids.request_id == "the-request"
        with spans.call("PUT", "a", 1) as call:
            assert call is not None
            call.end(200)
        if error:
            span.end(0, error)


def test_it_is_in_the_trace_of_its_change(kept: list[Span]) -> None:
    delivered()
    call, delivery = kept
    assert (delivery.trace_id, delivery.parent_id, delivery.kind) == (TRACE, PARENT, Kind.CONSUMER)
    assert (call.trace_id, call.parent_id) == (TRACE, delivery.span_id)
    assert (spans.current.get(), request_ids.current.get()) == (None, None)


def test_it_follows_the_decision_of_its_change_unless_it_fails(kept: list[Span]) -> None:
    delivered("00")
    assert kept == []
    delivered("00", error="not_now")
    assert [span.name for span in kept] == ["PUT", "deliver a"]
    assert not any(span.recording.sampled for span in kept)


def test_apart_it_is_linked_and_under_the_same_request(kept: list[Span]) -> None:
    delivered(apart=True)
    delivery = kept[-1]
    assert delivery.trace_id != TRACE
    assert delivery.links == ((TRACE, PARENT),)
    assert delivery.parent_id is None
    kept.clear()
    delivered("00", apart=True)
    assert kept == []


def test_what_nobody_began_begins_a_trace(kept: list[Span]) -> None:
    with tracing.continued("", "", "deliver a", {}) as span:
        assert span is not None
        assert span.parent_id is None
    assert kept == [span]


def test_without_a_collector_the_names_go_along_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracer", None)
    with tracing.continued(f"00-{TRACE}-{PARENT}-01", "the-request", "deliver a", {}) as span:
        assert span is None
        ids = request_ids.current.get()
        assert ids is not None
        assert (ids.request_id, ids.trace_id, ids.parent_id) == ("the-request", TRACE, PARENT)
        assert tracing.context() == ids.traceparent


def test_a_link_is_of_the_span_at_hand_and_of_nothing_else(kept: list[Span]) -> None:
    tracing.link(f"00-{TRACE}-{PARENT}-01")  # nothing is under way
    with tracing.continued("", "", "hear", {}) as span:
        tracing.link("")
        tracing.link(f"00-{TRACE}-{PARENT}-00")
    assert span is not None
    assert span.links == ((TRACE, PARENT),)
