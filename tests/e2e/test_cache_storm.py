"""Whatever is killed, stopped or cut off: once a new price was shown, the former one is never shown again.

A short storm by default; CACHE_STORM_CHANGES, CACHE_STORM_FAULTS and STORM_SEED make others. A failure says the seed.
"""

import os
import time

import pytest

from tests.e2e.cache_storm import CacheStorm
from tests.e2e.stack import Stack

CHANGES = int(os.environ.get("CACHE_STORM_CHANGES", "60"))
FAULTS = int(os.environ.get("CACHE_STORM_FAULTS", "6"))
SEED = int(os.environ.get("STORM_SEED", str(time.time_ns() % 1_000_000)))


@pytest.mark.timeout(400 + 60 * FAULTS)
async def test_no_price_is_shown_that_a_change_has_overtaken(stack: Stack) -> None:
    report = await CacheStorm(stack, seed=SEED, changes=CHANGES, faults=FAULTS).rage()
    told = f"STORM_SEED={SEED} CACHE_STORM_CHANGES={CHANGES} CACHE_STORM_FAULTS={FAULTS}: {report}"
    print(f"\n{told}")
    assert report.stale == [], told
    assert report.unseen == [], told
    assert report.faults.total() == FAULTS, told
    assert any("hit" in answer for answer in report.answers), told
