"""Figures that one bench hands to a run of all of them (`python -m bench`), beside what it prints for people."""

import json
import os
from pathlib import Path
from typing import Literal

FILE = "BENCH_FIGURES"
"""The variable that names the file. Alone, a bench hands on nothing."""

Kind = Literal["cpu", "ratio", "clock"]
"""`cpu`: microseconds of CPU; compared after division by the yardstick of the same run. `ratio`: to something that was
measured in the same run; compared as it is. `clock`: milliseconds of the wall clock, or units a second; shown alone,
since it says most about what else the machine does."""


def figure(
    name: str, value: float, kind: Kind, *, budget: float | None = None, at_least: bool = False
) -> None:
    """`budget`: the most that `value` should be; with `at_least` the least, and more is better."""
    path = os.environ.get(FILE)
    if path:
        line = {"name": name, "value": value, "kind": kind, "budget": budget, "at_least": at_least}
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
