"""Spans as OTLP's JSON (OpenTelemetry protocol, "JSON Protobuf Encoding"): ids in hex, 64-bit numbers as text."""

from collections.abc import Iterable
from typing import Any

import msgspec

from common.telemetry.spans import Span, Value

_ERROR = {"code": 2}
_SAMPLED = 0x01


def encode(service: str, spans: Iterable[Span]) -> bytes:
    """An ExportTraceServiceRequest."""
    return msgspec.json.encode(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": [_attribute("service.name", service)]},
                    "scopeSpans": [
                        {"scope": {"name": "gatehouse"}, "spans": [_span(span) for span in spans]}
                    ],
                }
            ]
        }
    )


def _span(span: Span) -> dict[str, Any]:
    encoded: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": int(span.kind),
        "startTimeUnixNano": str(span.began),
        "endTimeUnixNano": str(span.ended),
        "attributes": [_attribute(name, value) for name, value in span.attributes.items()],
        "flags": _SAMPLED if span.recording.sampled else 0,
    }
    if span.parent_id is not None:
        encoded["parentSpanId"] = span.parent_id
    if span.links:
        encoded["links"] = [{"traceId": trace_id, "spanId": span_id} for trace_id, span_id in span.links]
    if span.failed:
        encoded["status"] = _ERROR
    return encoded


def _attribute(name: str, value: Value) -> dict[str, Any]:
    return {
        "key": name,
        "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value},
    }
