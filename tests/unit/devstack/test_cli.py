"""What the commands say to the person at the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack import cli, control, running, settings
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
