from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import unprivileged
from devstack.errors import PrepareError
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
    install(closed)
    copied = unprivileged.programs(closed, PARTS)
    try:
        assert copied != closed
        assert as_nobody(str(copied / "installed/bin/hello")) == "hello\n"
        assert unprivileged.programs(closed, PARTS) == copied
    finally:
        shutil.rmtree(copied.parent)


def test_programs_that_were_installed_for_their_owner_only_are_copied_with_what_lies_beside_them(
    closed: Path,
) -> None:
    site = closed.parent / "site"
    site.mkdir()
    mask = os.umask(0o077)
    try:
        install(site)
        copied = unprivileged.programs(site, PARTS)
    finally:
        os.umask(mask)
    try:
        assert as_nobody(str(copied / "installed/bin/hello")) == "hello\n"
        assert as_nobody("cat", str(copied / "installed.libs/greeting")) == "hello\n"
    finally:
        shutil.rmtree(copied.parent)


def test_a_copy_follows_its_original(closed: Path) -> None:
    install(closed)
    first = unprivileged.programs(closed, PARTS)
    try:
        (closed / "installed.libs" / "greeting").write_text("another\n")
        second = unprivileged.programs(closed, PARTS)
        assert as_nobody(str(second / "installed/bin/hello")) == "another\n"
    finally:
        shutil.rmtree(first.parent)


@pytest.mark.parametrize("name", ['a"b', "a$b", "a`b", "a\\b"])
def test_programs_that_a_shell_could_not_name_are_copied(closed: Path, name: str) -> None:
    site = closed.parent / name
    site.mkdir()
    install(site)
    copied = unprivileged.programs(site, PARTS)
    try:
        assert subprocess.run(["sh", "-c", f'"{copied}/installed/bin/hello"'], check=True).returncode == 0
    finally:
        shutil.rmtree(copied.parent)


def test_data_of_another_account_are_not_touched(closed: Path) -> None:
    data = closed.parent / "data"
    data.mkdir(mode=0o700)
    os.chown(data, 12345, 12345)
    with pytest.raises(PrepareError, match="belongs to user 12345"):
        unprivileged.data_directory(data)
    assert data.stat().st_uid == 12345


def test_what_a_failed_start_left_empty_makes_way_and_data_do_not(closed: Path) -> None:
    data = closed / "data"
    data.mkdir()
    try:
        assert unprivileged.data_directory(data) != data
    finally:
        unprivileged.discard(data)
    data.mkdir()
    (data / "PG_VERSION").touch()
    with pytest.raises(PrepareError, match="cannot get there"):
        unprivileged.data_directory(data)
    assert (data / "PG_VERSION").exists()


def test_the_umask_closes_no_shelter(closed: Path) -> None:
    wanted = closed / "data"
    mask = os.umask(0o077)
    try:
        data = unprivileged.data_directory(wanted)
    finally:
        os.umask(mask)
    try:
        as_nobody("touch", f"{data}/kept")
    finally:
        unprivileged.discard(wanted)


def test_a_link_through_a_closed_directory_is_followed_beforehand(closed: Path) -> None:
    site = closed.parent / "site"
    site.mkdir()
    install(site)
    (closed / "link").symlink_to(site)
    assert unprivileged.programs(closed / "link", PARTS) == site.resolve()


PARTS = ("installed", "installed.libs", "absent")


def install(site: Path) -> None:
    """A program that needs what lies beside it."""
    (site / "installed" / "bin").mkdir(parents=True)
    (site / "installed.libs").mkdir()
    (site / "installed.libs" / "greeting").write_text("hello\n")
    program = site / "installed" / "bin" / "hello"
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/../../installed.libs/greeting"\n')
    program.chmod(program.stat().st_mode | 0o100 | (program.stat().st_mode & 0o044) >> 2)
