"""devstack from places and shells that are not made for it: it starts, is found again from another shell, and stops."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from devstack import unprivileged
from devstack.settings import DEFAULT_PORTS, Settings, locate
from devstack.throwaway import free_ports, temporary_directory
from tests.checkout import copy_to
from tests.processes import until_gone
from tests.unit.devstack.test_environment import FOREIGN

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

NAME = 'it\'s a "shop" $HOME 상점 ' + "x" * 60
DOTENV = """\ufeffexport LOG_LEVEL="DEBUG" # note\r
AUTH_REDIS_PASSWORD='p@ss/#?[%x$y'
AUTH_DATABASE_PASSWORD="a b\\$c"
MAIL_FROM="${SHOP:-A shop} <no-reply@shop.example>"
NAME
"""
BROKEN = 'AUTH_PORT=many\nA B=1\nC="open\n'


class Checkout:
    """A copy of this checkout below a directory that is closed to others, with a path that needs quotes everywhere."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "closed" / NAME
        self.root.mkdir(parents=True)
        self.root.parent.chmod(0o700)
        copy_to(self.root)
        (self.root / ".env").write_bytes(DOTENV.encode())
        self.state = self.root / ".devstack"
        self.ports = dict(zip(DEFAULT_PORTS, map(str, free_ports(len(DEFAULT_PORTS))), strict=True))

    def devstack(self, *arguments: str, **shell: str) -> subprocess.CompletedProcess[str]:
        """One command, from a shell with the variables of others in it, under a umask that closes everything."""
        foreign = {name: value for name, value in FOREIGN.items() if name not in ("LD_PRELOAD", "PYTHONHOME")}
        environment = {"PATH": os.environ["PATH"], "HOME": "/", **foreign, **self.ports, **shell}
        return subprocess.run(
            [sys.executable, "-m", "devstack", *arguments],
            cwd=self.root,
            env={**environment, "DEVSTACK_DIR": str(self.state)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            umask=0o077,
        )

    @property
    def settings(self) -> Settings:
        return locate({"DEVSTACK_DIR": str(self.state)})


@pytest.fixture
def checkout(request: pytest.FixtureRequest) -> Iterator[Checkout]:
    if request.config.getoption("--stack") == "docker":
        pytest.skip("about devstack itself: --stack=docker leaves it out")
    with temporary_directory() as directory:
        made = Checkout(directory)
        try:
            yield made
        finally:
            made.devstack("down")
            unprivileged.discard(made.state / "postgres")
            shutil.rmtree(made.settings.runtime, ignore_errors=True)


def test_a_stack_starts_anywhere_is_found_from_another_shell_and_stops_whatever_is_broken(
    checkout: Checkout,
) -> None:
    started = checkout.devstack("up", "--detach")
    assert started.returncode == 0, started.stdout + started.stderr
    demo = {"email": "test@example.com", "password": "password123"}
    gateway = f"http://127.0.0.1:{checkout.ports['GATEWAY_PORT']}"
    assert httpx.post(f"{gateway}/api/auth/login", json=demo).status_code == 200

    elsewhere = checkout.state / "log"  # a TMPDIR that is there, but another one
    assert checkout.devstack("status", TMPDIR=str(elsewhere)).returncode == 0
    assert checkout.devstack("logs", "auth", TMPDIR=str(elsewhere)).returncode == 0
    (checkout.root / ".env").write_text(BROKEN, encoding="utf-8")
    assert checkout.devstack("status").returncode == 0
    refused = checkout.devstack("up", "--detach")
    assert (refused.returncode, ".env:2: " in refused.stderr) == (1, True), refused.stderr

    checkout.settings.control_socket.unlink()  # as something does that tidies up temporary files
    lost = checkout.devstack("status")
    assert (lost.returncode, "does not answer" in lost.stdout) == (1, True), lost.stdout + lost.stderr
    assert checkout.devstack("down", TMPDIR=str(elsewhere)).stdout == "Stopped.\n"
    assert until_gone(checkout.state) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could change the owner of somebody's data")
def test_root_leaves_the_data_of_another_user_alone(checkout: Checkout) -> None:
    data = checkout.state / "postgres"
    data.mkdir(parents=True)
    os.chown(checkout.state, 12345, 12345)
    os.chown(data, 12345, 12345)
    for arguments in (("up", "--detach"), ("up", "--detach", "--fresh")):
        refused = checkout.devstack(*arguments)
        assert refused.returncode == 1
        assert "belongs to user 12345, and this is root: nothing was changed" in refused.stderr
    assert {path.stat().st_uid for path in (checkout.state, *checkout.state.iterdir())} == {12345}
