"""The process's one tracer: it begins the span of each request and delivery, and decides which traces are sampled."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import msgspec

from common import request_ids
from common.request_ids import RequestIds
from common.telemetry import spans
from common.telemetry.exporter import Exporter, Outcome
from common.telemetry.spans import Kind, Recording, Span, Value

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class Tracer:
    """`ratio` of the traces that begin here are sampled."""

    def __init__(self, export: spans.Export, ratio: float) -> None:
        self._export = export
        self._ratio = ratio

    def decided(self, ids: RequestIds, *, parent_decides: bool) -> RequestIds:
        """`ids` with the decision: the parent's where it counts and there is one, else by chance."""
        if parent_decides and ids.parent_id is not None:
            return ids
        chosen = random.random() < self._ratio  # noqa: S311  # no secret
        return msgspec.structs.replace(ids, sampled=chosen)

    def begin(self, ids: RequestIds, method: str) -> Span:
        """The span of a request, which becomes the current one."""
        method = method if method in _METHODS else "_OTHER"
        span = self.root(ids, method, Kind.SERVER, {"http.request.method": method})
        spans.current.set(span)
        return span

    def root(self, ids: RequestIds, name: str, kind: Kind, attributes: dict[str, Value]) -> Span:
        """The span of a piece of work that begins in this process; `tracing.over` ends it."""
        recording = Recording(self._export, sampled=ids.sampled)
        return Span(recording, name, kind, ids.trace_id, ids.span_id, ids.parent_id, attributes)


def answering(span: Span, status: int) -> None:
    """A request's answer begins: what is open below its span ends."""
    inner = spans.current.get()
    if inner is not None and inner is not span:
        inner.end(0, str(status) if status >= 500 else None)
        spans.current.set(span)


def finish(span: Span, route: str | None, status: int, waited: float) -> None:
    """Ends a request's span. `route` is a template, None without one; `waited` the seconds until its answer began."""
    if route is not None:
        span.name = f"{span.name} {route}"
        span.attributes["http.route"] = route
    answering(span, status or 500)
    span.end(status, None if status else "no_answer")
    over(span, waited)


def over(span: Span, waited: float) -> None:
    """After the end of a piece of work that began in this process: its spans are exported or dropped."""
    spans.current.set(None)
    span.recording.close(keep=span.failed or waited > spans.SLOW_S)


def context() -> str:
    """The `traceparent` of whatever follows from what is done at the moment; "" where nothing is under way."""
    span = spans.current.get()
    if span is not None:
        return span.traceparent
    ids = request_ids.current.get()
    return ids.traceparent if ids is not None else ""


def link(traceparent: str) -> None:
    """From the span at hand to another trace that it has to do with."""
    span = spans.current.get()
    other = request_ids.from_headers([], [traceparent])
    if span is not None and other.parent_id is not None:
        span.links = (*span.links, (other.trace_id, other.parent_id))


@contextmanager
def continued(
    traceparent: str,
    request_id: str,
    name: str,
    attributes: dict[str, Value],
    *,
    apart: bool = False,
) -> Iterator[Span | None]:
    """Work that an earlier piece of work left to be done: under its names, in its trace, with its decision.

    `apart`: in a trace of its own that is linked to the earlier one. None where nothing is traced; the names are there
    all the same, for logs and calls. A span that has failed or lasted is exported in any case.
    """
    former = request_ids.from_headers([request_id], [traceparent])
    ids = request_ids.from_headers([former.request_id], []) if apart else former
    if apart:
        ids = msgspec.structs.replace(ids, sampled=former.sampled)
    elif _tracer is not None:
        ids = _tracer.decided(ids, parent_decides=True)
    span = _tracer.root(ids, name, Kind.CONSUMER, attributes) if _tracer is not None else None
    if span is not None and apart and former.parent_id is not None:
        span.links = ((former.trace_id, former.parent_id),)
    outer = spans.current.set(span)
    began = time.monotonic()
    try:
        with request_ids.named(ids), span or nullcontext():
            yield span
    finally:
        if span is not None:
            over(span, time.monotonic() - began)
        spans.current.reset(outer)


_tracer: Tracer | None = None
_exporter: Exporter | None = None


def configure(
    service: str, endpoint: str, ratio: float, counted: Callable[[Outcome, int], None] = lambda *_: None
) -> None:
    """Traces this process from now on; does nothing without an endpoint. `counted`: as `Exporter` has it."""
    global _tracer, _exporter  # noqa: PLW0603  # as logging's: one for the process
    if not endpoint:
        return
    _exporter = Exporter(service, endpoint, counted)
    _exporter.start()
    _tracer = Tracer(_exporter.add, ratio)


def tracer() -> Tracer | None:
    """None where nothing is traced."""
    return _tracer


def counts() -> tuple[int, int]:
    """Spans that a collector took, and spans that were dropped, since the start."""
    return (_exporter.exported, _exporter.dropped) if _exporter else (0, 0)
