"""Seconds from `make up` until every part is healthy, and from `make down` until nothing runs.

    python -m bench.start [--rounds 5]

A stack of its own beside others, on data that are there, as on any morning but the first, which makes the databases and
is told apart. Wheels are installed before: `make` does that, once. The budget, of the quickest round, is 8 s.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench.figures import figure
from devstack import unprivileged

OFFSET = "18100"
BUDGET_MS = 8000.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.start")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment = {**os.environ, "DEVSTACK_DIR": folder, "DEVSTACK_PORT_OFFSET": OFFSET}
        ups, downs = [], []
        try:
            for _ in range(rounds + 1):
                ups.append(timed(environment, "up", "--detach"))
                downs.append(timed(environment, "down"))
        finally:
            timed(environment, "down")
            unprivileged.discard(Path(folder) / "postgres")
    first, *later = ups
    figure("make up, healthy", min(later), "clock", budget=BUDGET_MS)
    print("| | quickest, s | median, s |\n| --- | --- | --- |")
    print(f"| up, on empty databases | {first / 1000:.1f} | |")
    print(f"| up | {min(later) / 1000:.1f} | {statistics.median(later) / 1000:.1f} |")
    print(f"| down | {min(downs) / 1000:.1f} | {statistics.median(downs) / 1000:.1f} |")
    return 0


def timed(environment: Mapping[str, str], *command: str) -> float:
    """Milliseconds of a devstack command. Raises CalledProcessError where it fails."""
    began = time.monotonic()
    subprocess.run(
        (sys.executable, "-m", "devstack", *command), env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return (time.monotonic() - began) * 1000


if __name__ == "__main__":
    sys.exit(main())
