"""Expired keys are swept for as long as the service lives."""

import asyncio
import logging

import pytest

from services.chassis.errors import Unavailable
from services.chassis.idempotency import Idempotency, handler
from tests.waiting import WITHIN


class Records:
    """Fails as often as it has failures, then sweeps."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.swept = asyncio.Event()

    async def sweep(self, _: int) -> int:
        if self._failures:
            raise self._failures.pop(0)
        self.swept.set()
        return 0


async def test_sweeping_goes_on_after_whatever_went_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(handler, "SWEEP_INTERVAL_S", 0)
    records = Records(Unavailable("down"), RuntimeError("nobody expected this"))
    async with Idempotency(records).lifespan():  # type: ignore[arg-type]
        async with asyncio.timeout(WITHIN):
            await records.swept.wait()
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "nobody expected this" in str(logged[0].exc_info)
