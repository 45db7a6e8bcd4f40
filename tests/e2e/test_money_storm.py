"""Whatever is killed, stopped or cut off: no unit is sold twice, nobody pays twice, and all books agree in the end.

Hazards 1, 7 to 12, 15 to 20. A short storm by default; MONEY_STORM_ORDERS, MONEY_STORM_FAULTS and STORM_SEED make
others, STORM_LOG names a file for its events. A failure says the seed.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.e2e.money import plan
from tests.e2e.money.storm import Storm
from tests.e2e.stack import Stack

ORDERS = int(os.environ.get("MONEY_STORM_ORDERS", "40"))
FAULTS = int(os.environ.get("MONEY_STORM_FAULTS", "3"))
SEED = int(os.environ.get("STORM_SEED", str(time.time_ns() % 1_000_000)))


@pytest.mark.timeout(600 + 60 * FAULTS)
async def test_money_and_stock_agree_after_a_storm(stack: Stack, tmp_path: Path) -> None:
    with Path(os.environ.get("STORM_LOG", tmp_path / "money-storm.jsonl")).open("w", buffering=1) as log:
        made = plan.plan(SEED, ORDERS, FAULTS)
        report = await Storm(stack, made, lambda line: log.write(line + "\n")).rage()
    replay = f"STORM_SEED={SEED} MONEY_STORM_ORDERS={ORDERS} MONEY_STORM_FAULTS={FAULTS}"
    print("\n" + "\n".join([replay, *report.lines]))
    assert report.wrong == [], "\n".join([replay, *report.lines, *report.wrong[:50]])
    assert report.faults.total() == FAULTS
    assert report.diary.acknowledged, replay


def test_a_storm_is_made_again_from_its_seed() -> None:
    assert plan.plan(7, 50, 5) == plan.plan(7, 50, 5)
    assert plan.plan(7, 50, 5) != plan.plan(8, 50, 5)
