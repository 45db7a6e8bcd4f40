"""The plugins that stock Kong brings: their names, and the schemas of those that the stand-in plays itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

# kong:3.9.3 (kong/constants.lua).
_NAMES = """
acl acme aws-lambda azure-functions basic-auth bot-detection correlation-id cors datadog file-log grpc-gateway grpc-web
hmac-auth http-log ip-restriction jwt key-auth ldap-auth loggly oauth2 opentelemetry post-function pre-function
prometheus proxy-cache rate-limiting redirect request-size-limiting request-termination request-transformer
response-ratelimiting response-transformer session standard-webhooks statsd syslog tcp-log udp-log zipkin
ai-proxy ai-prompt-decorator ai-prompt-template ai-prompt-guard ai-request-transformer ai-response-transformer
"""
NAMES = frozenset(_NAMES.split())


OVER_HTTP = frozenset(
    {"correlation-id", "request-size-limiting", "request-termination", "proxy-cache", "rate-limiting"}
)
"""Those that Kong refuses for a stream."""


def _schema(
    *fields: dict[str, dict[str, Any]],
    one_of_these: Sequence[Sequence[str]] = (),
    rules: Sequence[Callable[[Mapping[str, Any]], str | None]] = (),
) -> dict[str, Any]:
    """In the form of a plugin server's dump, and what the fields must be together."""
    return {
        "fields": [{"config": {"type": "record", "fields": list(fields)}}],
        "one_of_these": one_of_these,
        "rules": rules,
    }


_HEADER = r"^[%w_-]+$"
_PATH = r"^/[%w%.%-_~/%%:@!$&'()*+,;=]*$"
_PERIODS = ("second", "minute", "hour", "day", "month", "year")


def _longer_is_more(config: Mapping[str, Any]) -> str | None:
    given = [(period, config[period]) for period in _PERIODS if period in config]
    for (shorter, few), (longer, many) in pairwise(given):
        if many < few:
            return f"the limit for {longer} ({many}) cannot be lower than the limit for {shorter} ({few})"
    return None


def _header_is_named(config: Mapping[str, Any]) -> str | None:
    if config.get("limit_by") == "header" and not config.get("header_name"):
        return "header_name: required where limit_by is header"
    return None


def _path_is_named(config: Mapping[str, Any]) -> str | None:
    path = config.get("path")
    if config.get("limit_by") == "path" and not path:
        return "path: required where limit_by is path"
    return "path: must not have empty segments" if path and "//" in path else None


def _one_answer(config: Mapping[str, Any]) -> str | None:
    body, content_type, message = (config.get(name) for name in ("body", "content_type", "message"))
    if message and (body or content_type):
        return "message cannot be used with content_type or body"
    if config.get("echo") and (body or content_type):
        return "echo cannot be used with content_type and body"
    return "content_type requires a body" if content_type and not body else None


_PHASES = ("certificate", "rewrite", "access", "header_filter", "body_filter", "log")
_FUNCTIONS = _schema(
    *({phase: {"type": "array", "elements": {"type": "string", "len_min": 1}}} for phase in _PHASES),
    one_of_these=[_PHASES],
)
SCHEMAS = {
    "correlation-id": _schema(
        {"header_name": {"type": "string", "default": "Kong-Request-ID", "len_min": 1}},
        {
            "generator": {
                "type": "string",
                "default": "uuid#counter",
                "one_of": ["uuid", "uuid#counter", "tracker"],
            }
        },
        {"echo_downstream": {"type": "boolean", "default": False}},
    ),
    "request-size-limiting": _schema(
        {"allowed_payload_size": {"type": "integer", "default": 128}},
        {
            "size_unit": {
                "type": "string",
                "default": "megabytes",
                "one_of": ["megabytes", "kilobytes", "bytes"],
            }
        },
        {"require_content_length": {"type": "boolean", "default": False}},
    ),
    "request-termination": _schema(
        {"status_code": {"type": "integer", "default": 503, "between": [100, 599]}},
        {"message": {"type": "string"}},
        {"body": {"type": "string"}},
        {"content_type": {"type": "string"}},
        {"echo": {"type": "boolean", "default": False}},
        {"trigger": {"type": "string", "match": _HEADER}},
        rules=[_one_answer],
    ),
    "proxy-cache": _schema(
        {"strategy": {"type": "string", "required": True, "one_of": ["memory"]}},
        {
            "request_method": {
                "type": "array",
                "default": ["GET", "HEAD"],
                "elements": {"type": "string", "one_of": ["HEAD", "GET", "POST", "PATCH", "PUT"]},
            }
        },
        {
            "response_code": {
                "type": "array",
                "default": [200, 301, 404],
                "len_min": 1,
                "elements": {"type": "integer", "between": [100, 900]},
            }
        },
        {"content_type": {"type": "array", "default": ["text/plain", "application/json"]}},
        {"cache_ttl": {"type": "integer", "default": 300, "gt": 0}},
        {"cache_control": {"type": "boolean", "default": False}},
        {"vary_headers": {"type": "array"}},
        {"vary_query_params": {"type": "array"}},
        {"ignore_uri_case": {"type": "boolean", "default": False}},
        {"storage_ttl": {"type": "integer"}},
        {"response_headers": {"type": "record", "fields": []}},
        {"memory": {"type": "record", "fields": []}},
    ),
    "prometheus": _schema(
        *(
            {name: {"type": "boolean", "default": False}}
            for name in (
                *("status_code_metrics", "latency_metrics", "bandwidth_metrics"),
                *("upstream_health_metrics", "per_consumer", "ai_metrics"),
            )
        ),
    ),
    "rate-limiting": _schema(
        *({period: {"type": "number", "gt": 0}} for period in _PERIODS),
        {
            "limit_by": {
                "type": "string",
                "default": "consumer",
                "one_of": ["consumer", "credential", "ip", "service", "header", "path"],
            }
        },
        {"header_name": {"type": "string", "match": _HEADER}},
        {"path": {"type": "string", "match": _PATH}},
        {"policy": {"type": "string", "default": "local", "one_of": ["local"]}},
        {"fault_tolerant": {"type": "boolean", "default": True}},
        {"hide_client_headers": {"type": "boolean", "default": False}},
        {"error_code": {"type": "number", "default": 429}},
        {"error_message": {"type": "string", "default": "API rate limit exceeded"}},
        one_of_these=[_PERIODS],
        rules=[_longer_is_more, _header_is_named, _path_is_named],
    ),
    "pre-function": _FUNCTIONS,
    "post-function": _FUNCTIONS,
}
