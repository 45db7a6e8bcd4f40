"""The process's one tracer: it begins the span of each request, and decides which traces are sampled."""

import random

import msgspec

from common.request_ids import RequestIds
from common.telemetry import spans
from common.telemetry.exporter import Exporter
from common.telemetry.spans import Kind, Recording, Span

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
        recording = Recording(self._export, sampled=ids.sampled)
        span = Span(
            recording,
            method,
            Kind.SERVER,
            ids.trace_id,
            ids.span_id,
            ids.parent_id,
            {"http.request.method": method},
        )
        spans.current.set(span)
        return span


def finish(span: Span, route: str | None, status: int, waited: float) -> None:
    """Ends a request's span. `route` is a template, None without one; `waited` the seconds until its answer began."""
    if route is not None:
        span.name = f"{span.name} {route}"
        span.attributes["http.route"] = route
    span.end(status, None if status else "no_answer")
    spans.current.set(None)
    span.recording.close(keep=span.failed or waited > spans.SLOW_S)


_tracer: Tracer | None = None
_exporter: Exporter | None = None


def configure(service: str, endpoint: str, ratio: float) -> None:
    """Traces this process from now on; does nothing without an endpoint."""
    global _tracer, _exporter  # noqa: PLW0603  # as logging's: one for the process
    if not endpoint:
        return
    _exporter = Exporter(service, endpoint)
    _exporter.start()
    _tracer = Tracer(_exporter.add, ratio)


def tracer() -> Tracer | None:
    """None where nothing is traced."""
    return _tracer


def counts() -> tuple[int, int]:
    """Spans that a collector took, and spans that were dropped, since the start."""
    return (_exporter.exported, _exporter.dropped) if _exporter else (0, 0)
