"""PostgreSQL and Redis, as those see them who use them."""

from __future__ import annotations

from devstack.observability.panels import Dashboard
from devstack.observability.queries import MOST, plot, quantile, rate


def stores() -> Dashboard:
    return Dashboard(
        uid="stores",
        title="Gatehouse: stores",
        panels=(
            plot(
                "Connections to PostgreSQL in use",
                (
                    'sum by (job) (postgres_pool_connections{state="used"}) '
                    "/ sum by (job) (postgres_pool_connections_limit)",
                    "{{job}}",
                ),
                unit="percentunit",
            ),
            plot("Who waits for a connection", ("sum by (job) (postgres_pool_waiting)", "{{job}}")),
            plot(
                "Wait for a connection, 95 of 100",
                (quantile(MOST, "postgres_connection_wait_seconds", "job"), "{{job}}"),
                unit="s",
            ),
            plot("Waits in vain", (rate("postgres_connection_failures_total", "job"), "{{job}}"), unit="ops"),
            plot(
                "Searches, 95 of 100", (quantile(MOST, "catalog_search_seconds", "job"), "{{job}}"), unit="s"
            ),
            plot("Messages that wait", ("max by (job, target) (outbox_pending)", "{{job}} to {{target}}")),
            plot(
                "Who knows which sessions have ended",
                ("min by (job) (revocations_current)", "{{job}}"),
                unit="bool_yes_no",
                kind="stat",
                note="From Redis. Who does not refuses everybody.",
            ),
            plot("Ended sessions that are remembered", ("max by (job) (revocations_known)", "{{job}}")),
            plot(
                "Commands to Redis",
                (rate("redis_commands_total", "job", "outcome"), "{{job}} {{outcome}}"),
                unit="ops",
                note="Of auth, catalog and the plugins; a pipeline is one command.",
            ),
            plot(
                "A command to Redis, 95 of 100",
                (quantile(MOST, "redis_command_duration_seconds", "job"), "{{job}}"),
                unit="s",
            ),
            plot(
                "Plugins without Redis",
                (rate('token_validator_requests_total{verdict="unknowable"}', "verdict"), "token-validator"),
                (rate('idempotency_requests_total{outcome="store_error"}', "outcome"), "idempotency"),
                (
                    rate('idempotency_endings_total{ending="store_error"}', "ending"),
                    "idempotency, at the end",
                ),
                (rate('response_cache_requests_total{outcome="off"}', "outcome"), "response-cache"),
                unit="ops",
            ),
        ),
    )
