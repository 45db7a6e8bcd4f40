"""Every operation that was acknowledged took effect exactly once, whatever was killed meanwhile.

A short storm by default; STORM_OPERATIONS, STORM_FAULTS and STORM_SEED make others, STORM_LOG names a file for its
events. A failure says the seed.
"""

import os
import time
from pathlib import Path

import pytest

from tests.e2e import storm
from tests.e2e.stack import Stack
from tests.e2e.storm import Storm

OPERATIONS = int(os.environ.get("STORM_OPERATIONS", "60"))
FAULTS = int(os.environ.get("STORM_FAULTS", "6"))
SEED = int(os.environ.get("STORM_SEED", str(time.time_ns() % 1_000_000)))


@pytest.mark.timeout(400 + 60 * FAULTS)
async def test_every_operation_takes_effect_exactly_once(stack: Stack, tmp_path: Path) -> None:
    with Path(os.environ.get("STORM_LOG", tmp_path / "storm.jsonl")).open("w") as log:
        report = await Storm(
            stack, storm.plan(SEED, OPERATIONS, FAULTS), lambda line: log.write(line + "\n")
        ).rage()
    told = f"STORM_SEED={SEED} STORM_OPERATIONS={OPERATIONS} STORM_FAULTS={FAULTS}: {report}"
    emails = {operation.email for operation in storm.plan(SEED, OPERATIONS, FAULTS).operations}
    assert report.wrong == [], told
    assert set(report.acknowledged) == emails, told
    assert {email: report.rows[email] for email in emails} == dict.fromkeys(emails, 1), told
    assert all(len(bodies) == 1 for bodies in report.acknowledged.values()), told
    assert report.killed.total() == FAULTS, told
    print(
        f"\nSTORM_SEED={SEED}: {OPERATIONS} operations, {len(report.acknowledged)} acknowledged, "
        f"{report.rows.total()} rows, {report.killed.total()} faults {dict(report.killed)}, "
        f"answers {dict(report.answers)}"
    )


def test_a_storm_is_made_again_from_its_seed() -> None:
    assert storm.plan(7, 50, 5) == storm.plan(7, 50, 5)
    assert storm.plan(7, 50, 5) != storm.plan(8, 50, 5)
