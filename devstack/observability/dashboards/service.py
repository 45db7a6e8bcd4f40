"""One service: its requests, its calls, its loop, its connections."""

from __future__ import annotations

from devstack.observability.panels import Dashboard
from devstack.observability.queries import MOST, plot, quantile, rate, ratio


def service() -> Dashboard:
    requests, durations = 'http_requests_total{job="$job"}', 'http_request_duration_seconds{job="$job"}'
    return Dashboard(
        uid="service",
        title="Gatehouse: a service",
        choose=("job", "label_values(http_requests_total, job)"),
        panels=(
            plot(
                "Requests by route",
                (rate(requests, "route", "kind"), "{{route}}{{kind}}"),
                unit="reqps",
                stacked=True,
            ),
            plot("Requests by status", (rate(requests, "status"), "{{status}}"), unit="reqps", stacked=True),
            plot(
                "Requests that fail",
                (ratio('http_requests_total{job="$job", status=~"5.."}', requests, "job"), "{{job}}"),
                unit="percentunit",
            ),
            plot(
                "Duration",
                *((quantile(share, durations, "job"), f"{share:.0%}") for share in (0.5, MOST, 0.99)),
                unit="s",
            ),
            plot(
                "Duration by route, 95 of 100",
                (quantile(MOST, durations, "route", "kind"), "{{route}}{{kind}}"),
                unit="s",
            ),
            plot("Requests in flight", ('sum by (job) (http_requests_in_flight{job="$job"})', "{{job}}")),
            plot(
                "Calls to other parts",
                (
                    rate('http_client_requests_total{job="$job"}', "target", "outcome"),
                    "{{target}} {{outcome}}",
                ),
                unit="reqps",
                empty="a service that calls nobody",
            ),
            plot(
                "Duration of calls, 95 of 100",
                (quantile(MOST, 'http_client_request_duration_seconds{job="$job"}', "target"), "{{target}}"),
                unit="s",
                empty="a service that calls nobody",
            ),
            plot(
                "Event loop: how late, 95 of 100",
                (quantile(MOST, 'event_loop_lag_seconds{job="$job"}', "job"), "{{job}}"),
                unit="s",
            ),
            plot(
                "Connections to PostgreSQL",
                ('sum by (state) (postgres_pool_connections{job="$job"})', "{{state}}"),
                ('sum(postgres_pool_connections_limit{job="$job"})', "most"),
                empty="a service without a database",
            ),
            plot(
                "Messages that wait",
                ('max by (target) (outbox_pending{job="$job"})', "{{target}}"),
                empty="a service without an outbox",
            ),
            plot(
                "Processor",
                ('sum by (instance) (rate(process_cpu_seconds_total{job="$job"}[2m]))', "{{instance}}"),
                unit="percentunit",
            ),
            plot("Memory", ('process_resident_memory_bytes{job="$job"}', "{{instance}}"), unit="bytes"),
            plot("Open files", ('process_open_fds{job="$job"}', "{{instance}}")),
            plot("Spans", (rate('telemetry_spans_total{job="$job"}', "outcome"), "{{outcome}}"), unit="ops"),
        ),
    )
