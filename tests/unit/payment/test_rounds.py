"""The comparison with the provider's list, where it cannot be made."""

import logging
from datetime import UTC, datetime, timedelta
from unittest.mock import create_autospec

import pytest
from prometheus_client import CollectorRegistry

from services.payment.adapters.payments_postgres import PostgresPayments
from services.payment.adapters.reports_postgres import PostgresReports
from services.payment.adapters.rounds import Rounds
from services.payment.application.ports import ProviderError
from services.payment.application.reconciliation import ReconciliationService

EVERY = timedelta(hours=24)


async def test_a_provider_without_an_answer_is_counted_told_and_may_be_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reconciliation = create_autospec(ReconciliationService, instance=True)
    reconciliation.compare.side_effect = ProviderError("no answer")
    registry = CollectorRegistry()
    rounds = Rounds(
        create_autospec(PostgresPayments, instance=True),
        create_autospec(PostgresReports, instance=True),
        reconciliation,
        registry,
        lambda: datetime(2026, 11, 27, tzinfo=UTC),
        check_every=EVERY,
        compare_every=EVERY,
    )

    with caplog.at_level(logging.WARNING):
        for times in (1, 2):
            rounds.ask_to_compare()
            await rounds.compare_when_asked()
            failed = registry.get_sample_value("payments_reconciliations_total", {"outcome": "failed"})
            assert failed == times
    assert {line.message for line in caplog.records} == {"the provider's list was not compared"}
