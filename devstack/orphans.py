"""Ends orphans: processes of a supervisor that was killed on a system without PR_SET_PDEATHSIG (see leash.py)."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import psutil

GRACE = 5.0  # seconds between SIGTERM and SIGKILL


def end(process_list: Path) -> int:
    """End the listed processes that are still the same ones; gives how many there were."""
    try:
        listed = json.loads(process_list.read_text())
    except (FileNotFoundError, ValueError):
        return 0
    alive = []
    for pid, created in listed:
        try:
            process = psutil.Process(pid)
            if process.create_time() == created:  # else the number has gone to somebody else
                alive += [process, *process.children(recursive=True)]
        except psutil.Error:  # gone, or somebody else's
            continue
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(alive, timeout=GRACE)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    process_list.unlink(missing_ok=True)
    return len(alive)
