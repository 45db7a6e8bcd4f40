"""A span for each phase of a plugin, in the trace that the gateway's pre-function has told of (kong.ctx.shared).

Kong tells a plugin server nothing of its own spans, and each question costs Kong and the plugin some 25 µs each. So a
phase asks when there is a reason: the request's headers, which it reads anyway, say that the trace is sampled; it asks
Kong something more anyway; or it has work that takes longer, and says so (`begin`). Where most traces are sampled every
phase asks, and the response phase does always: it has several questions at once. Without a collector a plugin is left
as it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NoReturn, TypeVar

from common import request_ids
from common.telemetry import spans, tracing
from common.telemetry.exporter import Outcome
from common.telemetry.settings import DEFAULT_RATIO
from common.telemetry.spans import Kind, Span
from kong.plugins.runtime import metrics
from kong.plugins.runtime.pdk import Event, Kong, Question, Value

TOLD = "traceparent"
"""The name in `kong.ctx.shared`: trace, Kong's own span and flags, as W3C Trace Context writes them."""

PHASES = ("access", "response")
ANSWERED = "answered"

SPANS = metrics.counter(
    "telemetry_spans_total",
    "Spans that a collector took, and that were dropped.",
    outcome=("exported", "dropped"),
)

P = TypeVar("P")
Phase = Callable[[Any, Kong], Awaitable[None]]


MOST_ARE_SAMPLED = 0.5
"""The ratio from which on every phase asks with its first question."""


def traced(name: str) -> Callable[[type[P]], type[P]]:
    """For a plugin's class. `name` is what its spans are of."""

    def decorate(plugin: type[P]) -> type[P]:
        endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
        if endpoint:
            ratio = float(os.environ.get("OTEL_TRACES_SAMPLER_ARG") or DEFAULT_RATIO)
            instrument(
                plugin,
                name,
                lambda: tracing.configure(name, endpoint, 0.0, _count),
                eager=ratio >= MOST_ARE_SAMPLED,
            )
        return plugin

    return decorate


def instrument(plugin: Any, name: str, configure: Callable[[], None], *, eager: bool) -> None:
    """`configure` is called once, when the first configuration of the plugin begins to serve."""
    for phase in PHASES:
        if hasattr(plugin, phase):
            run = getattr(plugin, phase)
            setattr(plugin, phase, _recorded(run, name, phase, eager or phase == "response"))
    if eager:
        # What is decided at once asks for no trace.
        plugin.at_once = property(lambda _: {}, lambda _, given: None)
    lifespan: Callable[[Any], AbstractAsyncContextManager[None]] = plugin.lifespan

    @asynccontextmanager
    async def started(self: Any) -> AsyncIterator[None]:
        if tracing.tracer() is None:
            configure()
        async with lifespan(self):
            yield

    plugin.lifespan = started


async def begin(kong: Kong) -> None:
    """Before work that takes longer: asks for the trace, where that has not been done."""
    event = kong.event
    if isinstance(event, _Asking):
        await event.told()


def _count(outcome: Outcome, spans: int) -> None:
    SPANS.labels(outcome=outcome).inc(spans)


def _recorded(run: Phase, name: str, phase: str, eager: bool) -> Phase:
    async def recorded(self: Any, kong: Kong) -> None:
        asking = _Asking(kong.event, f"{name} {phase}", phase, eager)
        error: str | None = None
        try:
            await run(self, Kong(asking))
        except BaseException as fault:
            if asking.outcome != ANSWERED:
                error = type(fault).__name__
            raise
        finally:
            asking.end(error)

    return recorded


class _Asking:
    """The event of a phase, which asks for the trace beside the phase's own questions, once."""

    __slots__ = ("_asks", "_began", "_event", "_name", "_phase", "_span", "_with_the_next", "outcome")

    def __init__(self, event: Event, name: str, phase: str, eager: bool) -> None:
        self._event = event
        self._name = name
        self._phase = phase
        self._asks = True
        self._with_the_next = eager
        self._began = time.time_ns()
        self._span: Span | None = None
        self.outcome = "passed"

    def ask(self, questions: Sequence[Question[Any]]) -> Generator[Any, Any, tuple[Any, ...]]:
        if not self._asks:
            return (yield from self._event.ask(questions))
        if self._with_the_next:
            self._asks = False
            *answers, traceparent = yield from self._event.ask((*questions, self._question()))
            self._begin(traceparent)
            return tuple(answers)
        given = yield from self._event.ask(questions)
        self._with_the_next = True
        headers = next((answer for answer in given if isinstance(answer, dict)), None)
        if headers is not None:
            self._asks = _is_sampled(headers.get("traceparent"))
            if self._asks:
                yield from self.told().__await__()
        return given

    async def told(self) -> None:
        """Asks now."""
        if self._asks:
            self._asks = False
            self._begin(await self._question())

    def tell(self, call: bytes) -> None:
        self._event.tell(call)

    def exit(self, call: bytes) -> NoReturn:
        self.outcome = ANSWERED
        self._event.exit(call)

    def hand_over(self, call: bytes) -> NoReturn:
        self.outcome = ANSWERED
        self._event.hand_over(call)

    def end(self, error: str | None) -> None:
        span = self._span
        if span is not None:
            span.attributes["kong.outcome"] = "failed" if error else self.outcome
            span.end(0, error)
            tracing.over(span, 0.0)

    def _question(self) -> Question[Value]:
        return Kong(self._event).ctx.shared.get(TOLD)

    def _begin(self, traceparent: Value) -> None:
        tracer = tracing.tracer()
        if tracer is None or not isinstance(traceparent, str):
            return
        ids = request_ids.from_headers([], [traceparent])
        self._span = tracer.root(ids, self._name, Kind.SERVER, {"kong.phase": self._phase})
        self._span.began = self._began
        spans.current.set(self._span)


def _is_sampled(traceparent: object) -> bool:
    """A request without a trace begins one at Kong, which chance has chosen: pre-function marks all others."""
    return not isinstance(traceparent, str) or request_ids.from_headers([], [traceparent]).sampled
