"""The processes of a stack that still run."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil


def until_gone(directory: Path, seconds: float = 10) -> list[psutil.Process]:
    """The processes that were started for the stack in `directory` and outlive the wait of so many seconds.

    One that has ended does not count, though whoever has to collect it (a container's first process, say) has not yet.
    """
    give_up = time.monotonic() + seconds
    while (left := _running(directory)) and time.monotonic() < give_up:
        time.sleep(0.2)
    return left


def _running(directory: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _runs_for(directory, process)]


def _runs_for(directory: Path, process: psutil.Process) -> bool:
    try:
        ours = process.environ().get("DEVSTACK_DIR") == str(directory) and process.pid != os.getpid()
        return ours and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False
