"""The way from a cart to money, and what is stuck on it."""

from __future__ import annotations

from devstack.observability.panels import Dashboard
from devstack.observability.queries import QUIET_UNTIL, plot, rate


def checkout() -> Dashboard:
    return Dashboard(
        uid="checkout",
        title="Gatehouse: checkout",
        panels=(
            plot(
                "What happened to orders in the last hour",
                ("sum by (event) (increase(order_events_total[1h]))", "{{event}}"),
                kind="stat",
                width=24,
                empty=QUIET_UNTIL,
            ),
            plot("Open orders", ("max by (state) (order_open)", "{{state}}"), stacked=True),
            plot(
                "Since when the oldest order waits for another service",
                ("max by (state) (order_unfinished_oldest_seconds)", "{{state}}"),
                unit="s",
            ),
            plot(
                "Unpaid orders that nobody has closed",
                ("max(order_overdue_oldest_seconds)", "the oldest"),
                unit="s",
            ),
            plot(
                "Reservations of stock",
                (rate("catalog_reservations_total", "goal", "state"), "{{goal}}: {{state}}"),
                unit="ops",
                empty=QUIET_UNTIL,
            ),
            plot(
                "Attempts to sell more than there is",
                ("sum(increase(catalog_sold_out_total[1h]))", "lines refused"),
                note="They are refused; a rush on the last units looks like this.",
            ),
            plot(
                "Stock held",
                ("max(catalog_reservations_held)", "reservations"),
                ("max(catalog_reservations_held_oldest_seconds)", "age of the oldest, seconds"),
            ),
            plot(
                "Payments that are not finished",
                ("max by (state) (payments_unfinished)", "{{state}}"),
                stacked=True,
                empty="no payment is under way",
            ),
            plot(
                "Webhooks of the provider",
                (rate("payments_webhooks_total", "outcome"), "{{outcome}}"),
                unit="ops",
                empty=QUIET_UNTIL,
            ),
            plot(
                "The oldest refund",
                ("max(payments_refunds_oldest_seconds)", "at the provider"),
                ("max by (state) (order_refunds_oldest_seconds)", "in order: {{state}}"),
                unit="s",
            ),
            plot("Messages that wait", ("max by (job, target) (outbox_pending)", "{{job}} to {{target}}")),
            plot(
                "The oldest message",
                ("max by (job, target) (outbox_oldest_seconds)", "{{job}} to {{target}}"),
                unit="s",
            ),
            plot(
                "Deliveries",
                (rate("outbox_attempts_total", "job", "target", "fate"), "{{job}} to {{target}}: {{fate}}"),
                unit="ops",
                empty=QUIET_UNTIL,
            ),
            plot(
                "Dead letters",
                ("max by (job, target) (outbox_dead_letters)", "{{job}} to {{target}}"),
                kind="stat",
            ),
            plot(
                "Unpaired money",
                ("max(payments_reconciliation_differences)", "differences to the provider"),
                ("max(abs(payments_ledger_imbalance))", "ledger out of balance"),
                ("max(payments_disputes_open)", "open disputes"),
                kind="stat",
            ),
            plot(
                "Age of the latest reconciliation",
                ("time() - max(payments_reconciliation_timestamp_seconds > 0)", "age"),
                unit="s",
                kind="stat",
                empty="until the first comparison of a new stack",
            ),
        ),
    )
