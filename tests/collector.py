"""An OTLP/HTTP receiver that keeps what it got, read by OpenTelemetry's own definition of the messages."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Received:
    """One span, of the process `service`. `began` in nanoseconds; `links` are trace and span ids of others."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, str | int | float]
    failed: bool
    began: int = 0
    links: tuple[tuple[str, str], ...] = ()


class Collector:
    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 200
        self.bodies: list[bytes] = []
        """Everything that was sent, byte for byte."""
        self._spans: list[Received] = []

    def take(self, body: bytes, media_type: str) -> None:
        self.bodies.append(body)
        request = ExportTraceServiceRequest()
        if media_type == "application/json":
            json_format.ParseDict(_with_bytes(json.loads(body)), request)
        else:
            assert media_type == "application/x-protobuf"
            request.ParseFromString(body)
        for resource in request.resource_spans:
            of = _attributes(resource.resource.attributes)
            for scope in resource.scope_spans:
                self._spans += [_received(str(of["service.name"]), span) for span in scope.spans]

    def spans(self, trace_id: str = "") -> list[Received]:
        return [span for span in list(self._spans) if not trace_id or span.trace_id == trace_id]

    def until(self, found: Callable[[list[Received]], bool], trace_id: str = "") -> list[Received]:
        """The spans of a trace as soon as `found` says so. Raises AssertionError."""
        give_up = time.monotonic() + 30
        while not found(spans := self.spans(trace_id)):
            assert time.monotonic() < give_up, [(span.service, span.name) for span in spans]
            time.sleep(0.05)
        return spans


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            if collector.status == 200:
                collector.take(body, self.headers["Content-Type"])
            self.send_response(collector.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _received(service: str, span: Any) -> Received:
    assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
    assert (len(span.trace_id), len(span.span_id)) == (16, 8)
    return Received(
        service,
        span.name,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _attributes(span.attributes),
        span.status.code == 2,
        span.start_time_unix_nano,
        tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
    )


def _attributes(listed: Any) -> dict[str, str | int | float]:
    return {entry.key: getattr(entry.value, entry.value.WhichOneof("value")) for entry in listed}


def _with_bytes(message: Any) -> Any:
    """OTLP's JSON has ids in hex where the general one has base64."""
    if isinstance(message, list):
        return [_with_bytes(entry) for entry in message]
    if not isinstance(message, dict):
        return message
    return {
        name: base64.b64encode(bytes.fromhex(value)).decode()
        if name in {"traceId", "spanId", "parentSpanId"}
        else _with_bytes(value)
        for name, value in message.items()
    }
