"""The span of a plugin's phase: in the trace that the gateway tells of, asked for with its own first question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from common.telemetry import spans, tracing
from common.telemetry.spans import ATTRIBUTES, Kind, Span
from common.telemetry.tracing import Tracer
from kong.plugins.runtime.pdk import Kong
from kong.plugins.traced import TOLD, instrument, traced
from tests.fake_kong import FakeKong

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{PARENT}-01"


class Kept(list[Span]):
    def take(self, spans: Sequence[Span]) -> None:
        self.extend(spans)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    found = Kept()
    monkeypatch.setattr(tracing, "_tracer", Tracer(found.take, 0.0))
    outer = spans.current.set(None)
    yield found
    spans.current.reset(outer)


def plugin() -> Any:
    class Plugin:
        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            yield

        async def access(self, kong: Kong) -> None:
            name, path = await kong.gather(kong.request.get_header("x-name"), kong.request.get_method())
            within = spans.sampled()
            if within is not None:
                with within.child("GET", Kind.CLIENT, {}):
                    pass
            if name == "refused":
                kong.response.exit(401, b"")
            if name == "broken":
                raise ValueError("of kim")
            kong.service.request.set_header("X-Seen", f"{name} {path}")

    return Plugin


def instrumented() -> Any:
    of = plugin()
    instrument(of, "mine", lambda: None)
    return of()


async def test_a_phase_of_a_sampled_trace_has_a_span_with_what_it_calls_below(kept: Kept) -> None:
    kong = FakeKong(headers={"x-name": "kim"}, shared={TOLD: SAMPLED})
    assert await kong.run(instrumented(), "access") is None
    assert kong.upstream["X-Seen"] == "kim GET"
    call, phase = kept
    assert (phase.name, phase.trace_id, phase.parent_id) == ("mine access", TRACE, PARENT)
    assert phase.attributes == {"kong.phase": "access", "kong.outcome": "passed"}
    assert phase.attributes.keys() <= ATTRIBUTES
    assert call.parent_id == phase.span_id
    assert spans.current.get() is None


@pytest.mark.parametrize(
    ("name", "outcome", "error"), [("refused", "answered", None), ("broken", "failed", "ValueError")]
)
async def test_its_outcome_is_told_and_its_text_is_not(
    kept: Kept, name: str, outcome: str, error: str | None
) -> None:
    kong = FakeKong(headers={"x-name": name}, shared={TOLD: SAMPLED})
    if error:
        with pytest.raises(ValueError, match="of kim"):
            await kong.run(instrumented(), "access")
    else:
        answer = await kong.run(instrumented(), "access")
        assert answer is not None and answer.status == 401
    assert kept[-1].attributes["kong.outcome"] == outcome
    assert kept[-1].attributes.get("error.type") == error
    assert "kim" not in repr(kept[-1].attributes)


async def test_of_any_other_trace_nothing_is_recorded_and_it_costs_no_round_trip(kept: Kept) -> None:
    kong, plain = FakeKong(headers={"x-name": "kim"}), FakeKong(headers={"x-name": "kim"})
    await kong.run(instrumented(), "access")
    await plain.run(plugin()(), "access")
    assert kept == []
    assert kong.upstream == plain.upstream
    assert kong.writes == plain.writes


def test_without_a_collector_a_plugin_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    of = plugin()
    access, lifespan = of.access, of.lifespan
    assert traced("mine")(of) is of
    assert (of.access, of.lifespan) == (access, lifespan)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    traced("mine")(of)
    assert of.access is not access
