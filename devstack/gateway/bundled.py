"""The plugins that stock Kong brings: their names, and the schemas of those that the stand-in plays itself."""

from __future__ import annotations

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


def _schema(*fields: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """In the form of a plugin server's dump."""
    return {"fields": [{"config": {"type": "record", "fields": list(fields)}}]}


_PHASES = ("certificate", "rewrite", "access", "header_filter", "body_filter", "log")
_FUNCTIONS = _schema(*({phase: {"type": "array"}} for phase in _PHASES))
SCHEMAS = {
    "correlation-id": _schema(
        {"header_name": {"type": "string", "default": "Kong-Request-ID"}},
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
        {"status_code": {"type": "integer", "default": 503}},
        {"message": {"type": "string"}},
        {"body": {"type": "string"}},
        {"content_type": {"type": "string"}},
        {"echo": {"type": "boolean", "default": False}},
        {"trigger": {"type": "string"}},
    ),
    "proxy-cache": _schema(
        {"strategy": {"type": "string", "required": True, "one_of": ["memory"]}},
        {"request_method": {"type": "array", "default": ["GET", "HEAD"]}},
        {"response_code": {"type": "array", "default": [200, 301, 404]}},
        {"content_type": {"type": "array", "default": ["text/plain", "application/json"]}},
        {"cache_ttl": {"type": "integer", "default": 300}},
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
        *({period: {"type": "number"}} for period in ("second", "minute", "hour", "day")),
        {
            "limit_by": {
                "type": "string",
                "default": "consumer",
                "one_of": ["consumer", "credential", "ip", "service", "header"],
            }
        },
        {"header_name": {"type": "string"}},
        {"policy": {"type": "string", "default": "local", "one_of": ["local"]}},
        {"fault_tolerant": {"type": "boolean", "default": True}},
        {"hide_client_headers": {"type": "boolean", "default": False}},
        {"error_code": {"type": "number", "default": 429}},
        {"error_message": {"type": "string", "default": "API rate limit exceeded"}},
    ),
    "pre-function": _FUNCTIONS,
    "post-function": _FUNCTIONS,
}
