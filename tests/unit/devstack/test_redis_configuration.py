"""redis.conf and the probe take any directory and any password."""

import pytest

from common.redis_link import RedisLink
from devstack import throwaway
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
