"""What a restore of the stack of `make up` says and leaves behind where it is broken off."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack import backup, cli, ports, running, settings, throwaway
from devstack.errors import DevstackError, PrepareError


class Stores:
    """Both of them."""

    port = 1

    def __init__(self, fails_at: str) -> None:
        self.fails_at = fails_at
        self.done: list[str] = []

    def __getattr__(self, name: str) -> object:
        def step(*_: object) -> list[str]:
            self.done.append(name)
            if name == self.fails_at:
                raise PrepareError("psql failed")
            return ["auth"]

        return step


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    @contextmanager
    def started(*_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(throwaway, "running", started)
    monkeypatch.setattr(ports, "require_free_port", lambda *_: None)
    return settings.locate({"DEVSTACK_DIR": str(tmp_path / "state")})


@pytest.mark.parametrize(
    ("fails_at", "unchanged"),
    [("require_readable", True), ("load", True), ("put_in_place", False), ("drop_aside", False)],
)
def test_nothing_was_changed_is_said_only_where_that_is_so(
    stack: settings.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: str, unchanged: bool
) -> None:
    stores = Stores(fails_at)
    for made in ("server", "cache"):
        monkeypatch.setattr(backup, made, lambda *_: stores)
    for name in ("auth.dump", "redis.rdb"):
        (tmp_path / name).write_text("saved")
    with pytest.raises(PrepareError) as said:
        backup._restore(stack, tmp_path)
    assert ("Nothing was changed" in str(said.value)) is unchanged
    assert ("put_in_place" in stores.done) is not unchanged
    if fails_at == "drop_aside":
        assert stores.done[-2:] == ["restore", "drop_aside"]


def test_down_does_not_end_a_restore(stack: settings.Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: ended.append(pid))
    with (
        running.only_one(stack, running.RESTORE),
        pytest.raises(DevstackError, match="a restore is under way"),
    ):
        cli.down(stack)
    assert ended == []


def test_files_are_there_whenever_a_restore_is_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, found = tmp_path / "media", tmp_path / "media.restored"
    for directory in (files, found):
        directory.mkdir()
        (directory / "picture").write_text(directory.name)
    rename = Path.rename

    def broken_off(self: Path, target: Path) -> Path:
        if self == found:
            raise SystemExit(143)
        return rename(self, target)

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Path, "rename", broken_off)
        backup._put_in_place(found, files)
    assert (files / "picture").read_text() == "media"

    backup._put_in_place(found, files)
    assert (files / "picture").read_text() == "media.restored"
    assert [each.name for each in tmp_path.iterdir()] == ["media"]
