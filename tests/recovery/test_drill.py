"""A primary PostgreSQL dies under load: nothing acknowledged is lost, and the shop sells on within seconds.

A thin drill by default; `make drill` is the whole one. DRILL_ORDERS and DRILL_SEED make others; with
DRILL_SYNCHRONOUS=0 no commit waits for the standby.
"""

from __future__ import annotations

import os
import time

import pytest

from tests.recovery import replicated_stack
from tests.recovery.drill import Drill

ORDERS = int(os.environ.get("DRILL_ORDERS", "8"))
SEED = int(os.environ.get("DRILL_SEED", str(time.time_ns() % 1_000_000)))
SYNCHRONOUS = os.environ.get("DRILL_SYNCHRONOUS", "1") == "1"


@pytest.mark.stack
@pytest.mark.timeout(600)
async def test_the_primary_dies_and_nothing_acknowledged_is_lost() -> None:
    with replicated_stack.running(synchronous=SYNCHRONOUS) as stack:
        report = await Drill(stack, SEED, ORDERS).run()
    replay = f"DRILL_SEED={SEED} DRILL_ORDERS={ORDERS} DRILL_SYNCHRONOUS={int(SYNCHRONOUS)}"
    told = "\n".join([replay, *report.lines])
    print(f"\n{told}")
    assert report.over_budget == [], told
    assert all(report.acknowledged.values()), told
