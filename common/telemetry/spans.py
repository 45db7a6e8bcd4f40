"""Spans of the request at hand (OpenTelemetry's semantic conventions).

A request's spans wait in a `Recording` until it ends. Then they are exported where the trace is sampled, or where the
request failed or was slow; else they are dropped. What happens inside a process (statements, commands, handlers) is
recorded of sampled requests alone: whoever is about to record asks `sampled` first, and of all others pays that one
question.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from enum import IntEnum

Value = str | int

ATTRIBUTES = frozenset(
    {
        "code.function.name",
        "db.operation.name",
        "db.query.text",
        "db.system.name",
        "error.type",
        "gatehouse.outbox.attempt",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "kong.outcome",
        "kong.phase",
        "messaging.destination.name",
        "messaging.message.id",
        "messaging.operation.name",
        "messaging.system",
        "rpc.method",
        "rpc.system",
        "server.address",
        "server.port",
    }
)
"""All names of attributes. None holds a path, a query, a header, a body or a statement's values: those may hold what is
personal."""
MOST_SPANS = 256
"""Of one request in one process; further ones are dropped."""
SLOW_S = 1.0
"""A request whose answer begins later is exported in any case."""


class Kind(IntEnum):
    """As in OTLP."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    CONSUMER = 5


class Span:
    """One piece of work. Ids are lower-case hex, times nanoseconds since 1970.

    As a context it ends with its block, and has failed where that raised, or was cancelled.
    """

    __slots__ = (
        "attributes",
        "began",
        "ended",
        "failed",
        "kind",
        "links",
        "name",
        "parent_id",
        "recording",
        "span_id",
        "trace_id",
    )

    def __init__(
        self,
        recording: "Recording",
        name: str,
        kind: Kind,
        trace_id: str,
        span_id: str,
        parent_id: str | None,
        attributes: dict[str, Value],
    ) -> None:
        self.recording = recording
        self.name = name
        self.kind = kind
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_id = parent_id
        self.attributes = attributes
        self.links: tuple[tuple[str, str], ...] = ()
        self.failed = False
        self.began = time.time_ns()
        self.ended = 0

    @property
    def traceparent(self) -> str:
        """For a call within this span (W3C Trace Context §3.2)."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.recording.sampled else '00'}"

    def child(self, name: str, kind: Kind, attributes: dict[str, Value]) -> "Span":
        return Span(self.recording, name, kind, self.trace_id, new_id(), self.span_id, attributes)

    def end(self, status: int = 0, error: str | None = None) -> None:
        """`status` of an HTTP answer, 0 without one; `error` is a kind of error, never its text.

        A server's 4xx is the client's error, and no failure of this span (semantic conventions, HTTP).
        """
        self.ended = time.time_ns()
        if status:
            self.attributes["http.response.status_code"] = status
        self.failed = error is not None or status >= (400 if self.kind is Kind.CLIENT else 500)
        if self.failed:
            self.attributes["error.type"] = error or str(status)
        self.recording.add(self)

    def __enter__(self) -> "Span":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self.ended:
            self.end(0, kind.__name__ if kind is not None else None)


def new_id() -> str:
    """8 bytes of chance: not secret, and a system call less than `secrets`."""
    return f"{random.getrandbits(64) or 1:016x}"


Export = Callable[[Sequence[Span]], None]


class Recording:
    """The spans of one request. What ends after it, in a task that it started, follows its fate."""

    __slots__ = ("_export", "_kept", "_spans", "sampled")

    def __init__(self, export: Export, *, sampled: bool) -> None:
        self._export = export
        self._spans: list[Span] | None = []
        self._kept = sampled
        self.sampled = sampled

    def add(self, span: Span) -> None:
        if self._spans is None:
            if self._kept:
                self._export([span])
        elif len(self._spans) < MOST_SPANS or span.kind in (Kind.SERVER, Kind.CONSUMER):
            self._spans.append(span)

    def close(self, *, keep: bool) -> None:
        """`keep`: export in any case."""
        spans, self._spans = self._spans or [], None
        self._kept = self.sampled or keep
        if self._kept:
            self._export(spans)


current: ContextVar[Span | None] = ContextVar("span", default=None)
_NOT_RECORDED: AbstractContextManager[None] = nullcontext()


def sampled() -> Span | None:
    """The current span, where its trace is sampled: for what is recorded of such traces alone."""
    span = current.get()
    return span if span is not None and span.recording.sampled else None


def call(method: str, host: str, port: int) -> AbstractContextManager[Span | None]:
    """A span around an outgoing HTTP call, where the request at hand is recorded; whoever makes the call ends it.

    A call that raises, or is cancelled, has failed.
    """
    parent = current.get()
    if parent is None:
        return _NOT_RECORDED
    return parent.child(
        method,
        Kind.CLIENT,
        {"http.request.method": method, "server.address": host, "server.port": port},
    )


def context_of(span: Span | None) -> Mapping[str, str]:
    """The header that carries a span to where the call goes; nothing where there is none."""
    return {"traceparent": span.traceparent} if span is not None else {}
