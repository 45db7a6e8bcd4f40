"""What a script finds in the images that are built on Alpine (PostgreSQL, Redis): busybox's programs, and no others of
the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NEEDS_BUSYBOX = pytest.mark.skipif(shutil.which("busybox") is None, reason="busybox is not installed")
LEFT_OUT = ("flock",)
"""Programs that Alpine's busybox has and Debian's has not: the machine's own."""
BOTH = [pytest.param("alpine", marks=NEEDS_BUSYBOX), "machine"]
"""Whose programs a script of these images runs with, here."""


def search_path(whose: str, directory: Path) -> str:
    """PATH with the programs of `whose`; links to them are made in `directory`, which is new."""
    if whose == "machine":
        return os.environ["PATH"]
    directory.mkdir(mode=0o755)
    subprocess.run(["busybox", "--install", "-s", str(directory)], check=True)
    for name in LEFT_OUT:
        if not (directory / name).exists() and (own := shutil.which(name)):
            (directory / name).symlink_to(own)
    return str(directory)
