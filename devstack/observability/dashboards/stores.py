"""PostgreSQL and Redis, as those see them who use them, and as they measure themselves (where an exporter runs)."""

from __future__ import annotations

from collections.abc import Iterator

from devstack.observability.exporters import MAY_BE_MISSING
from devstack.observability.panels import Dashboard, Panel
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
                (rate('redis_commands_total{outcome!=""}', "job", "outcome"), "{{job}} {{outcome}}"),
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
            *_postgres(),
            *_redis(),
        ),
    )


def _postgres() -> Iterator[Panel]:
    """Of deploy/observability/postgres-queries.yaml."""
    yield _measured(
        "PostgreSQL: connections",
        ("sum by (datname) (postgres_connections_open)", "{{datname}}"),
        ("max(postgres_server_connections_limit)", "limit"),
    )
    yield _measured(
        "PostgreSQL: transactions",
        (rate("postgres_database_commits_total", "datname"), "{{datname}}"),
        (rate("postgres_database_rollbacks_total", "datname"), "{{datname}}, rolled back"),
        unit="ops",
    )
    yield _measured(
        "PostgreSQL: blocks found in memory",
        (
            _share("postgres_database_blocks_hit_total", "postgres_database_blocks_read_total", "datname"),
            "{{datname}}",
        ),
        unit="percentunit",
        note="Of PostgreSQL's own memory: the system may have had the others in its.",
    )
    yield _measured(
        "PostgreSQL: deadlocks",
        ("sum by (datname) (increase(postgres_database_deadlocks_total[5m]))", "{{datname}}"),
    )
    yield _measured(
        "PostgreSQL: temporary files",
        (rate("postgres_database_temporary_bytes_total", "datname"), "{{datname}}"),
        unit="Bps",
        note="Queries that had too little memory (work_mem).",
    )
    yield _measured(
        "PostgreSQL: replicas are late by",
        ("max(postgres_server_replication_lag_seconds)", "the latest"),
        unit="s",
        note="Zero where there is no replica.",
    )
    yield _measured("PostgreSQL: replicas", ("max(postgres_server_replicas)", "connected"))
    yield _measured(
        "PostgreSQL: write-ahead log", (rate("postgres_server_wal_bytes_total", "job"), "written"), unit="Bps"
    )
    yield _measured(
        "PostgreSQL: write-ahead log kept for a slot",
        ("max(postgres_server_wal_retained_bytes)", "kept"),
        unit="bytes",
    )
    yield _measured(
        "PostgreSQL: dead rows of all",
        (
            "sum by (datname) (postgres_table_dead_rows) / (sum by (datname) "
            "(postgres_table_dead_rows + postgres_table_live_rows) > 0)",
            "{{datname}}",
        ),
        unit="percentunit",
    )
    yield _measured(
        "PostgreSQL: dead rows, ten tables",
        (
            "topk(10, max by (datname, relation) (postgres_table_dead_rows))",
            "{{datname}} {{relation}}",
        ),
    )
    yield _measured(
        "PostgreSQL: since the last vacuum, ten tables with dead rows",
        (
            "topk(10, max by (datname, relation) "
            "(postgres_table_unvacuumed_seconds and postgres_table_dead_rows > 0))",
            "{{datname}} {{relation}}",
        ),
        unit="s",
    )
    yield _measured(
        "PostgreSQL: transactions since the oldest that is not frozen",
        ("max by (datname) (postgres_database_oldest_transaction_age)", "{{datname}}"),
        note="Autovacuum freezes at 200 million; at 2,000 million nothing is written any more.",
    )
    yield _measured(
        "PostgreSQL: size", ("max by (datname) (postgres_database_size_bytes)", "{{datname}}"), unit="bytes"
    )


def _redis() -> Iterator[Panel]:
    """The names of oliver006/redis_exporter, of which Debian's is one."""
    yield _measured(
        "Redis: memory",
        ("max(redis_memory_used_bytes)", "used"),
        ("max(redis_memory_max_bytes)", "maxmemory"),
        unit="bytes",
    )
    yield _measured(
        "Redis: keys that went",
        (rate("redis_evicted_keys_total", "job"), "evicted"),
        (rate("redis_expired_keys_total", "job"), "expired"),
        unit="ops",
        note="None may be evicted: a full Redis refuses what is new (noeviction).",
    )
    yield _measured(
        "Redis: clients",
        ("sum(redis_connected_clients)", "connected"),
        ("sum(redis_blocked_clients)", "wait for a stream"),
    )
    yield _measured(
        "Redis: reads that found their key",
        (
            _share("redis_keyspace_hits_total", "redis_keyspace_misses_total", "job"),
            "found",
        ),
        unit="percentunit",
    )
    yield _measured(
        "Redis: written to disk",
        ("min(redis_aof_last_write_status)", "the latest append"),
        ("min(redis_aof_last_bgrewrite_status)", "the latest rewrite"),
        ("min(redis_rdb_last_bgsave_status)", "the latest snapshot"),
        unit="bool_yes_no",
        kind="stat",
    )


def _measured(title: str, *queries: tuple[str, str], **options: object) -> Panel:
    return plot(title, *queries, empty=MAY_BE_MISSING, **options)


def _share(part: str, rest: str, by: str) -> str:
    return f"{rate(part, by)} / ({rate(part, by)} + {rate(rest, by)} > 0)"
