"""Whether people can buy: what to look at first."""

from __future__ import annotations

from devstack.observability.panels import Dashboard
from devstack.observability.queries import MOST, plot, quantile, rate, ratio
from devstack.observability.rules import BUDGET_LEFT


def overview() -> Dashboard:
    front = 'http_requests_total{job="frontend_proxy"}'
    failed = 'http_requests_total{job="frontend_proxy", status=~"5.."}'
    durations = 'http_request_duration_seconds{job="frontend_proxy"}'
    return Dashboard(
        uid="overview",
        title="Gatehouse: overview",
        panels=(
            plot(
                "Parts that are up",
                ("max by (job) (up)", "{{job}}"),
                kind="stat",
                unit="bool_yes_no",
                width=12,
            ),
            plot(
                "Alerts that fire",
                (
                    'count by (alertname, severity) (ALERTS{alertstate="firing"})',
                    "{{alertname}} ({{severity}})",
                ),
                kind="table",
                width=12,
                note="The watchdog always does.",
            ),
            plot("Requests", (rate(front, "journey"), "{{journey}}"), unit="reqps", stacked=True),
            plot("Requests that fail", (ratio(failed, front, "journey"), "{{journey}}"), unit="percentunit"),
            plot("Duration, 95 of 100", (quantile(MOST, durations, "journey"), "{{journey}}"), unit="s"),
            plot("Open orders", ("max by (state) (order_open)", "{{state}}"), stacked=True),
            plot(
                "Money today",
                ("max by (movement, currency) (payments_today_minor_units)", "{{movement}} {{currency}}"),
                note="Of the ledger, in minor units, since midnight (UTC).",
                empty="until money has moved on this day",
            ),
            plot(
                "Error budget that is left",
                (BUDGET_LEFT, "{{objective}}"),
                unit="percentunit",
                empty="an objective that nobody has used yet has no ratio",
            ),
            plot(
                "Processor",
                ("sum by (job) (rate(process_cpu_seconds_total[2m]))", "{{job}}"),
                unit="percentunit",
                width=12,
            ),
            plot(
                "Memory", ("sum by (job) (process_resident_memory_bytes)", "{{job}}"), unit="bytes", width=12
            ),
        ),
    )
