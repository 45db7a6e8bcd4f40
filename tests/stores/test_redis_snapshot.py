"""deploy/redis/start.sh with the programs of a Redis 7: what a snapshot holds is there again after a restore."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from devstack.settings import ROOT
from devstack.throwaway import free_port
from tests import alpine

PASSWORDS = {"REDIS_PASSWORD": "of the backups", "SHOP_REDIS_PASSWORD": "of the shop"}
USERS = """# as users.acl
user default off
user backup on #REDIS_PASSWORD -@all +psync +replconf +ping +sync
user shop on #SHOP_REDIS_PASSWORD ~* &* +@all
"""
WITHIN = 30.0
NAMES = {"redis-server": "redis-check-rdb", "redis-cli": "redis-cli", "redis-check-aof": "redis-check-aof"}
"""Debian's redis-tools has one program of the first two names, and it is what it is called."""


class Image:
    """The script, its programs and its data, each of them below a directory of this test's."""

    def __init__(self, directory: Path, whose: str) -> None:
        self.data, self.port = directory / "data", free_port()
        self._files = directory
        programs = directory / "bin"
        for made in (self.data, programs):
            made.mkdir()
        for name, program in NAMES.items():
            found = shutil.which(name) or shutil.which(program)
            if found is None:
                pytest.skip(f"{name} is not installed (redis-tools on Debian)")
            (programs / name).symlink_to(found)
        (directory / "templates.acl").write_text(USERS)
        script = (ROOT / "deploy/redis/start.sh").read_text()
        for here, ours in (
            ("/tmp/", f"{directory}/"),
            (" /data", f" {self.data}"),
            ("exec redis-server ", f"exec redis-server --port {self.port} --bind 127.0.0.1 "),
            ("redis-cli --user ", f"redis-cli -p {self.port} --user "),
        ):
            assert here in script
            script = script.replace(here, ours)
        (directory / "start.sh").write_text(script)
        self._environment = {
            **PASSWORDS,
            "PATH": f"{programs}:{alpine.search_path(whose, directory / 'programs')}",
            "REDIS_USERS": str(directory / "templates.acl"),
            "TMPDIR": str(directory),
        }

    def script(self, command: str, given: bytes = b"") -> bytes:
        """What it wrote."""
        done = self.run(command, given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, command: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["sh", str(self._files / "start.sh"), command],
            env=self._environment,
            input=given,
            capture_output=True,
            check=False,
            timeout=WITHIN,
        )

    def files(self) -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in self.data.rglob("*") if file.is_file()}

    def start(self) -> subprocess.Popen[bytes]:
        with (self._files / "log").open("ab") as log:
            server = subprocess.Popen(
                ["sh", str(self._files / "start.sh"), "start"],
                env=self._environment,
                stdout=log,
                stderr=log,
                cwd=self._files,
            )
        give_up = time.monotonic() + WITHIN
        while self.ask("PING") != "PONG":
            assert server.poll() is None and time.monotonic() < give_up, (self._files / "log").read_text()
            time.sleep(0.05)
        return server

    def ask(self, *command: str) -> str:
        """As the shop."""
        answered = subprocess.run(
            ["redis-cli", "-p", str(self.port), "--user", "shop", *command],
            env={**self._environment, "REDISCLI_AUTH": PASSWORDS["SHOP_REDIS_PASSWORD"]},
            capture_output=True,
            text=True,
            check=False,
        )
        return answered.stdout.strip()


@pytest.mark.parametrize("whose", alpine.BOTH)
def test_what_was_in_a_snapshot_is_there_after_its_restore(tmp_path: Path, whose: str) -> None:
    image = Image(tmp_path, whose)
    server = image.start()
    try:
        image.ask("SET", "kept", "in the snapshot")
        snapshot = image.script("snapshot")
        assert snapshot.startswith(b"REDIS")
        image.ask("SET", "later", "than the snapshot")
    finally:
        server.terminate()
        server.wait(WITHIN)
    data = image.files()
    for unreadable in (snapshot[: len(snapshot) // 2], b"REDIS9999" + snapshot[9:], b"broken"):
        for command in ("check", "restore"):
            assert image.run(command, unreadable).returncode == 1
    image.script("check", snapshot)
    assert image.files() == data
    image.script("restore", snapshot)
    server = image.start()
    try:
        assert (image.ask("GET", "kept"), image.ask("GET", "later")) == ("in the snapshot", "")
    finally:
        server.terminate()
        server.wait(WITHIN)
