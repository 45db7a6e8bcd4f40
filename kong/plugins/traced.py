"""A span for each phase of a plugin, in the trace that the gateway's pre-function has told of (kong.ctx.shared).

Kong tells a plugin server nothing of its own spans. Only sampled traces are told of, and a phase asks together with
its own first question: no round trip more. Without a collector a plugin is left as it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NoReturn, TypeVar

from common import request_ids
from common.telemetry import spans, tracing
from common.telemetry.spans import Kind, Span
from kong.plugins.runtime.pdk import Event, Kong, Question

TOLD = "traceparent"
"""The name in `kong.ctx.shared`: trace, Kong's own span and flags, as W3C Trace Context writes them."""

PHASES = ("access", "response")
ANSWERED = "answered"

P = TypeVar("P")
Phase = Callable[[Any, Kong], Awaitable[None]]


def traced(name: str) -> Callable[[type[P]], type[P]]:
    """For a plugin's class. `name` is what its spans are of."""

    def decorate(plugin: type[P]) -> type[P]:
        endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
        if endpoint:
            instrument(plugin, name, lambda: tracing.configure(name, endpoint, ratio=0.0))
        return plugin

    return decorate


def instrument(plugin: Any, name: str, configure: Callable[[], None]) -> None:
    """`configure` is called once, when the first configuration of the plugin begins to serve."""
    for phase in PHASES:
        if hasattr(plugin, phase):
            setattr(plugin, phase, _recorded(getattr(plugin, phase), name, phase))
    lifespan: Callable[[Any], AbstractAsyncContextManager[None]] = plugin.lifespan

    @asynccontextmanager
    async def started(self: Any) -> AsyncIterator[None]:
        if tracing.tracer() is None:
            configure()
        async with lifespan(self):
            yield

    plugin.lifespan = started


def _recorded(run: Phase, name: str, phase: str) -> Phase:
    async def recorded(self: Any, kong: Kong) -> None:
        asking = _Asking(kong.event, f"{name} {phase}", phase)
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
    """The event of a phase, asked for the trace along with the phase's first questions."""

    def __init__(self, event: Event, name: str, phase: str) -> None:
        self._event = event
        self._name = name
        self._phase = phase
        self._asked = False
        self._began = time.time_ns()
        self._span: Span | None = None
        self.outcome = "passed"

    def ask(self, questions: Sequence[Question[Any]]) -> Generator[Any, Any, tuple[Any, ...]]:
        if self._asked:
            return (yield from self._event.ask(questions))
        self._asked = True
        told = Kong(self._event).ctx.shared.get(TOLD)
        *answers, traceparent = yield from self._event.ask((*questions, told))
        if isinstance(traceparent, str):
            self._begin(traceparent)
        return tuple(answers)

    def tell(self, call: bytes) -> None:
        self._event.tell(call)

    def exit(self, call: bytes) -> NoReturn:
        self.outcome = ANSWERED
        self._event.exit(call)

    def end(self, error: str | None) -> None:
        span = self._span
        if span is not None:
            span.attributes["kong.outcome"] = "failed" if error else self.outcome
            span.end(0, error)
            tracing.over(span, 0.0)

    def _begin(self, traceparent: str) -> None:
        tracer = tracing.tracer()
        if tracer is None:
            return
        ids = request_ids.from_headers([], [traceparent])
        self._span = tracer.root(ids, self._name, Kind.SERVER, {"kong.phase": self._phase})
        self._span.began = self._began
        spans.current.set(self._span)
