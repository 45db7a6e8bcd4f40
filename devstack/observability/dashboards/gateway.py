"""Kong and its plugins."""

from __future__ import annotations

from devstack.observability.panels import Dashboard
from devstack.observability.queries import MOST, plot, quantile, rate, ratio

REAL_KONG = "nginx' own numbers, which the stand-in does not have"


def gateway() -> Dashboard:
    return Dashboard(
        uid="gateway",
        title="Gatehouse: gateway and plugins",
        panels=(
            plot(
                "Requests by service",
                (rate("kong_http_requests_total", "service"), "{{service}}"),
                unit="reqps",
                stacked=True,
            ),
            plot(
                "Requests by status",
                (rate("kong_http_requests_total", "code", "source"), "{{code}} ({{source}})"),
                unit="reqps",
                stacked=True,
            ),
            plot(
                "Requests that fail",
                (
                    ratio('kong_http_requests_total{code=~"5.."}', "kong_http_requests_total", "service"),
                    "{{service}}",
                ),
                unit="percentunit",
            ),
            plot(
                "Whole duration, 95 of 100",
                (quantile(MOST, "kong_request_latency_ms", "route"), "{{route}}"),
                unit="ms",
            ),
            plot(
                "In Kong and its plugins, 95 of 100",
                (quantile(MOST, "kong_kong_latency_ms", "route"), "{{route}}"),
                unit="ms",
            ),
            plot(
                "In services, 95 of 100",
                (quantile(MOST, "kong_upstream_latency_ms", "route"), "{{route}}"),
                unit="ms",
            ),
            plot("Bandwidth", (rate("kong_bandwidth_bytes", "direction"), "{{direction}}"), unit="Bps"),
            plot(
                "Connections of clients",
                (
                    'sum by (state) (kong_nginx_connections_total{state=~"active|reading|writing|waiting"})',
                    "{{state}}",
                ),
                empty=REAL_KONG,
            ),
            plot(
                "Shared memory that is used",
                (
                    "kong_memory_lua_shared_dict_bytes / kong_memory_lua_shared_dict_total_bytes",
                    "{{shared_dict}}",
                ),
                unit="percentunit",
                empty=REAL_KONG,
            ),
            plot(
                "Events of plugins",
                (rate("kong_plugin_events_total", "job", "outcome"), "{{job}} {{outcome}}"),
                unit="ops",
            ),
            plot(
                "Duration of an event, 95 of 100",
                (quantile(MOST, "kong_plugin_event_seconds", "job", "phase"), "{{job}} {{phase}}"),
                unit="s",
            ),
            plot("Events that run", ("sum by (job) (kong_plugin_running_events)", "{{job}}")),
            plot("Tokens", (rate("token_validator_requests_total", "verdict"), "{{verdict}}"), unit="ops"),
            plot(
                "Keyed requests", (rate("idempotency_requests_total", "outcome"), "{{outcome}}"), unit="ops"
            ),
            plot(
                "Reservations of keys",
                (rate("idempotency_endings_total", "ending"), "{{ending}}"),
                unit="ops",
            ),
            plot(
                "Reads of the catalog",
                (rate("response_cache_requests_total", "outcome"), "{{outcome}}"),
                unit="ops",
                stacked=True,
            ),
            plot(
                "Answered from the cache",
                (
                    ratio(
                        'response_cache_requests_total{outcome=~"hit|stale|collapsed"}',
                        "response_cache_requests_total",
                        "job",
                    ),
                    "{{job}}",
                ),
                unit="percentunit",
            ),
            plot("What the cache keeps", ("sum(response_cache_bytes)", "bytes"), unit="bytes"),
            plot(
                "Until the cache hears of a change, 95 of 100",
                (quantile(MOST, "response_cache_propagation_seconds", "job"), "{{job}}"),
                unit="s",
            ),
            plot(
                "Event loops of plugins: how late, 95 of 100",
                (quantile(MOST, 'event_loop_lag_seconds{plugin!=""}', "job"), "{{job}}"),
                unit="s",
            ),
            plot(
                "Key sets fetched",
                (rate("token_validator_jwks_fetches_total", "outcome"), "{{outcome}}"),
                unit="ops",
            ),
        ),
    )
