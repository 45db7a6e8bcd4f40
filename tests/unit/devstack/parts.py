"""Small parts for a supervisor under test: real processes that take milliseconds to start."""

from __future__ import annotations

import sys
from pathlib import Path

from devstack.command import Command
from devstack.part import Part

# Says that it is up by making a file, and then does as it is told.
_PROGRAM = """
import os, signal, sys, time
mark, behaviour = sys.argv[1:]
def tell(path):
    open(path + ".new", "w").write(str(os.getpid()))
    os.rename(path + ".new", path)  # whoever sees it can read the number
print("hello from", os.path.basename(mark), flush=True)
if behaviour == "dies":
    print("no luck", flush=True); sys.exit(7)
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if behaviour == "parent" and os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tell(mark + ".child")
    time.sleep(600)
if behaviour != "never ready":
    tell(mark)
time.sleep(600)
"""


def part(directory: Path, name: str, behaviour: str = "serves", *, needs: tuple[str, ...] = ()) -> Part:
    mark = directory / name

    async def ready() -> bool:
        return mark.exists()

    return Part(
        name=name,
        prepare=lambda: mark.unlink(missing_ok=True),
        command=lambda: Command((sys.executable, "-I", "-S", "-c", _PROGRAM, str(mark), behaviour)),
        ready=ready,
        needs=needs,
        start_deadline=30.0 if behaviour != "never ready" else 5.0,
        stop_deadline=0.5 if behaviour == "stubborn" else 5.0,
    )
