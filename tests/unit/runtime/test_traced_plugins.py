"""The span of a plugin's phase: in the trace that the gateway tells of, asked for with its own first question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from common.telemetry import spans
from common.telemetry.spans import ATTRIBUTES, Kind, Span
from kong.plugins.runtime.pdk import Kong
from kong.plugins.traced import TOLD, begin, instrument, traced
from tests.fake_kong import FakeKong
from tests.recorded_spans import recorded

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def kept() -> Iterator[list[Span]]:
    with recorded(0.0) as found:
        yield found


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
                await kong.request.get_method()
                kong.response.exit(401, b"")
            if name == "broken":
                raise ValueError("of kim")
            kong.service.request.set_header("X-Seen", f"{name} {path}")

    return Plugin


def instrumented(*, eager: bool = True) -> Any:
    of = plugin()
    instrument(of, "mine", lambda: None, eager=eager)
    return of()


async def test_a_phase_of_a_sampled_trace_has_a_span_with_what_it_calls_below(kept: list[Span]) -> None:
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
    kept: list[Span], name: str, outcome: str, error: str | None
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


async def test_of_any_other_trace_nothing_is_recorded_and_it_costs_no_round_trip(kept: list[Span]) -> None:
    kong, plain = FakeKong(headers={"x-name": "kim"}), FakeKong(headers={"x-name": "kim"})
    await kong.run(instrumented(), "access")
    await plain.run(plugin()(), "access")
    assert kept == []
    assert kong.upstream == plain.upstream
    assert kong.writes == plain.writes


async def test_a_phase_that_reads_the_headers_asks_where_they_say_that_the_trace_is_sampled(
    kept: list[Span],
) -> None:
    class Plugin:
        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            yield

        async def access(self, kong: Kong) -> None:
            await kong.gather(kong.request.get_method(), kong.request.get_headers())
            await kong.request.get_method()

    instrument(Plugin, "mine", lambda: None, eager=False)
    left_out = FakeKong(headers={"traceparent": SAMPLED[:-1] + "0"}, shared={TOLD: SAMPLED})
    await left_out.run(Plugin(), "access")
    assert (kept, left_out.writes, "kong.ctx.shared.get" in left_out.calls) == ([], 2, False)
    for headers in ({"traceparent": SAMPLED}, {}):
        kong = FakeKong(headers=dict(headers), shared={TOLD: SAMPLED})
        await kong.run(Plugin(), "access")
        assert [span.name for span in kept] == ["mine access"]
        assert (kong.writes, kong.calls.count("kong.ctx.shared.get")) == (3, 1)
        kept.clear()


async def test_one_that_does_not_asks_once_it_has_something_to_tell(kept: list[Span]) -> None:
    warm = FakeKong(headers={"x-name": "kim"}, shared={TOLD: SAMPLED})
    assert await warm.run(instrumented(eager=False), "access") is None
    assert (kept, "kong.ctx.shared.get" in warm.calls) == ([], False)
    refused = FakeKong(headers={"x-name": "refused"}, shared={TOLD: SAMPLED})
    assert await refused.run(instrumented(eager=False), "access")
    assert [span.attributes["kong.outcome"] for span in kept] == ["answered"]
    kept.clear()

    async def access(self: object, kong: Kong) -> None:
        await kong.request.get_header("x-name")
        await begin(kong)
        await begin(kong)

    of = plugin()
    of.access = access
    instrument(of, "mine", lambda: None, eager=False)
    slow = FakeKong(headers={"x-name": "kim"}, shared={TOLD: SAMPLED})
    await slow.run(of(), "access")
    assert [span.name for span in kept] == ["mine access"]
    assert slow.calls.count("kong.ctx.shared.get") == 1
    plain = FakeKong()
    await plain.run(plugin()(), "access")
    await begin(Kong(plain))


def test_without_a_collector_a_plugin_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    of = plugin()
    access, lifespan = of.access, of.lifespan
    assert traced("mine")(of) is of
    assert (of.access, of.lifespan) == (access, lifespan)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    traced("mine")(of)
    assert of.access is not access


@pytest.mark.parametrize("eager", [True, False])
def test_nothing_is_decided_at_once_where_every_phase_asks_for_its_trace(*, eager: bool) -> None:
    class AtOnce(plugin()):  # type: ignore[misc]
        def __init__(self) -> None:
            self.at_once = {"access": object()}

    instrument(AtOnce, "mine", lambda: None, eager=eager)
    assert list(AtOnce().at_once) == ([] if eager else ["access"])
