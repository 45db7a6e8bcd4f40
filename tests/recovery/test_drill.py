"""A primary PostgreSQL dies under load: nothing acknowledged is lost, and the shop sells on within seconds.

A thin drill on local processes by default; `make drill` is the whole one, `make drill-docker` that on containers
(DRILL_STACK=docker). DRILL_ORDERS and DRILL_SEED make others; with DRILL_SYNCHRONOUS=0 no commit waits for the standby.
"""

from __future__ import annotations

import os
import time

import pytest

from tests.recovery import replicated_containers, replicated_processes
from tests.recovery.drill import Drill

ORDERS = int(os.environ.get("DRILL_ORDERS", "8"))
SEED = int(os.environ.get("DRILL_SEED", str(time.time_ns() % 1_000_000)))
SYNCHRONOUS = os.environ.get("DRILL_SYNCHRONOUS", "1") == "1"

DOCKER = os.environ.get("DRILL_STACK") == "docker"


@pytest.mark.stack
@pytest.mark.timeout(600)
async def test_the_primary_dies_and_nothing_acknowledged_is_lost() -> None:
    running = replicated_containers.running if DOCKER else replicated_processes.running
    with running(synchronous=SYNCHRONOUS) as stack:
        report = await Drill(stack, SEED, ORDERS).run()
    where = "DRILL_STACK=docker " if DOCKER else ""
    replay = f"{where}DRILL_SEED={SEED} DRILL_ORDERS={ORDERS} DRILL_SYNCHRONOUS={int(SYNCHRONOUS)}"
    told = "\n".join([replay, *report.lines])
    print(f"\n{told}")
    assert report.over_budget == [], told
    assert all(report.acknowledged.values()), told
