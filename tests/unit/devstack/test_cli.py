"""What the commands say to the person at the terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devstack import cli, control, running, service_command, settings
from devstack.declaration import declaration
from devstack.errors import DevstackError


def test_up_beside_a_stack_that_started_without_a_new_service_says_how_to_start_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [name for name in declaration().processes if name != "member"]
    answer = {"up": True, "parts": [{"name": name} for name in names]}
    monkeypatch.setattr(control, "ask", lambda _path, **_request: answer)
    monkeypatch.setattr(running, "is_locked", lambda _settings: True)
    with pytest.raises(DevstackError, match="the stack runs without member: make down, then make up"):
        cli.up(settings.locate({"DEVSTACK_DIR": str(tmp_path)}), detach=True, fresh=False)


def test_a_command_of_a_service_says_at_once_that_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match="nothing runs: make up first"):
        service_command.run(settings.locate({"DEVSTACK_DIR": str(tmp_path)}), "member", ["migrate"])


def test_logs_are_shown_on_a_terminal_that_lacks_their_letters(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "auth.log").write_text("운동화\n", encoding="utf-8")
    shown = subprocess.run(
        [sys.executable, "-m", "devstack", "logs", "auth"],
        cwd=settings.ROOT,
        env={"DEVSTACK_DIR": str(tmp_path), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert shown.stdout == "운동화\n".encode("ascii", "backslashreplace"), shown.stderr
