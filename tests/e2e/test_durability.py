"""Nothing that was answered is undone, whatever was killed just after it.

A few rounds by default; DURABILITY_ROUNDS and DURABILITY_SEED make others (`make durability ROUNDS=200`). A failure
says the seed.
"""

import os
import time

import pytest

from tests.e2e.durability import house

ROUNDS = int(os.environ.get("DURABILITY_ROUNDS", "4"))
SEED = int(os.environ.get("DURABILITY_SEED", str(time.time_ns() % 1_000_000)))


@pytest.mark.timeout(240 + 60 * ROUNDS)
async def test_nothing_that_was_answered_is_undone() -> None:
    async with house(SEED) as rounds:
        report = await rounds.run(ROUNDS)
    told = f"DURABILITY_SEED={SEED} DURABILITY_ROUNDS={ROUNDS}: {report}"
    assert report.wrong == [], told
    assert report.rounds == ROUNDS, told
    assert report.answered.total() >= ROUNDS, told
    print(f"\n{told}")
