from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import unprivileged
from devstack.throwaway import temporary_directory

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands files to another user")


@pytest.fixture
def closed() -> Iterator[Path]:
    """A directory that only root enters, in one that everybody enters."""
    with temporary_directory() as outer:
        inner = outer / "closed"
        inner.mkdir(mode=0o700)
        yield inner


def as_nobody(*command: str) -> str:
    return subprocess.run(
        command, user=unprivileged.USER, cwd="/", capture_output=True, text=True, check=True
    ).stdout


def test_data_out_of_reach_goes_where_its_owner_can_reach_it_and_stays_there(closed: Path) -> None:
    wanted = closed / "data"
    data = unprivileged.data_directory(wanted)
    try:
        as_nobody("touch", f"{data}/kept")
        assert unprivileged.data_directory(wanted) == data
        assert (wanted / "kept").exists()
        assert data.stat().st_mode & 0o077 == 0
    finally:
        unprivileged.discard(wanted)
    assert not data.exists() and not wanted.is_symlink()


def test_data_within_reach_stays_where_it_was_asked_for(closed: Path) -> None:
    wanted = closed.parent / "data"
    assert unprivileged.data_directory(wanted) == wanted
    assert wanted.stat().st_uid == pwd.getpwnam(unprivileged.USER).pw_uid


def test_programs_out_of_reach_are_copied_and_run(closed: Path) -> None:
    (closed / "installed" / "bin").mkdir(parents=True)
    program = closed / "installed" / "bin" / "hello"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    copied = unprivileged.program_directory(closed / "installed")
    try:
        assert as_nobody(str(copied / "bin" / "hello")) == "hello\n"
    finally:
        unprivileged.discard(copied.parent)


def test_a_link_through_a_closed_directory_is_followed_beforehand(closed: Path) -> None:
    installed = closed.parent / "installed"
    installed.mkdir()
    (closed / "link").symlink_to(installed)
    assert unprivileged.program_directory(closed / "link") == installed.resolve()
