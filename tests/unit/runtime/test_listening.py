"""The socket that Kong connects to, as it comes into being."""

import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from kong.plugins.runtime import listening
from kong.plugins.runtime.errors import SocketRefusedError


class Watched(socket.socket):
    """Writes down what is at `path` at the moment from which it answers."""

    path: Path
    seen: list[bool]

    def listen(self, *given: Any) -> None:
        self.seen = [self.path.exists()]
        super().listen(*given)
        self.seen.append(self.path.exists())


def test_the_socket_is_there_when_it_answers_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "plugin.socket"
    with Watched(socket.AF_UNIX) as listener:
        listener.path = path
        listening.bind(listener, path, 0o660)
        assert listener.seen == [False, False]
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        assert [entry.name for entry in tmp_path.iterdir()] == ["plugin.socket"]


def test_what_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "plugin.socket"
    for name in ("plugin.socket", listening.COMING):
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(tmp_path / name))
    with socket.socket(socket.AF_UNIX) as listener:
        listening.bind(listener, path, 0o600)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_new_server_takes_the_place_of_a_living_one_only_if_told_to(tmp_path: Path) -> None:
    path = tmp_path / "plugin.socket"
    with socket.socket(socket.AF_UNIX) as old, socket.socket(socket.AF_UNIX) as new:
        listening.bind(old, path, 0o600)
        before = path.stat().st_ino
        with pytest.raises(SocketRefusedError, match="another server is listening there"):
            listening.bind(new, path, 0o600)
        with socket.socket(socket.AF_UNIX) as kept:
            kept.connect(str(path))
            listening.bind(new, path, 0o600, take_over=True)
            listening.remove(old, path, before)  # as the old one ends: what is there now is not its own
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                new.settimeout(1)
                new.accept()[0].close()
