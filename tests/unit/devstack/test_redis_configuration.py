"""redis.conf and the probe take any directory and any password."""

from pathlib import Path

import pytest

from common.redis_link import RedisLink
from devstack import throwaway
from devstack.errors import PrepareError
from devstack.redis import Redis
from tests.nasty_passwords import PASSWORDS


@pytest.mark.parametrize("name", ["plain", 'it\'s a "shop" $HOME 상점 \\ # %'])
async def test_a_server_with_a_nasty_directory_and_password_answers(name: str) -> None:
    with throwaway.temporary_directory() as directory:
        password = PASSWORDS[PASSWORDS.index("é漢字🔑") + 1] + "\\"  # every sign of punctuation
        server = Redis(directory / name, throwaway.free_port(), password, throwaway=True)
        with throwaway.running(server, directory / "log"):
            async with RedisLink(server.url(), 5.0) as link:
                assert await link.command(b"PING") == b"PONG"
                directory_of_it = await link.command(b"CONFIG", b"GET", b"dir")
    assert directory_of_it[1].decode() == str((directory / name).resolve())


def test_half_a_snapshot_and_a_newer_ones_are_refused_before_anything_is_changed(tmp_path: Path) -> None:
    server, snapshot = Redis(tmp_path, 1, ""), tmp_path / "redis.rdb"
    whole = b"REDIS0009\xff" + bytes(8)  # without a key, and without a sum
    snapshot.write_bytes(whole)
    server.require_readable(snapshot)
    for wrong in (whole[:7], b"REDIS0099" + whole[9:]):
        snapshot.write_bytes(wrong)
        with pytest.raises(PrepareError, match="cannot be read"):
            server.require_readable(snapshot)
