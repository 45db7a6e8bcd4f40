"""A PostgreSQL of several hosts: whichever is the primary is taken, and one that hangs keeps nobody from it."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.chassis.errors import Unavailable
from services.chassis.postgres import Database, hosts
from services.chassis.postgres.hosts import alternatives


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """A host that takes connections and never says a word, as a machine that hangs."""
    server = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.read()
    finally:
        writer.close()


def several(url: str, first: str, attributes: str = "read-write") -> str:
    credentials, _, rest = url.rpartition("@")
    return f"{credentials}@{first},{rest}?target_session_attrs={attributes}"


@pytest.mark.parametrize("gone", ["silent", "refusing"])
async def test_the_primary_is_found_behind_a_host_that_is_gone(
    postgres_url: str, silent: str, gone: str
) -> None:
    url = several(postgres_url, silent if gone == "silent" else "127.0.0.1:1")
    database = Database(url, application="test")
    async with database.lifespan():
        await database.check()
        # More connections, each within the pool's patience: the host that was taken last is tried first.
        await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.05)") for _ in range(8)))


@pytest.fixture
async def unanswered(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A host whose name no server of names says anything about, as that of a container which was stopped."""
    answered, ask = threading.Event(), socket.getaddrinfo

    def look_up(host: str | None, *others: Any, **named: Any) -> Any:
        if host == "gone.invalid":
            answered.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ask(host, *others, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield "gone.invalid:5432"
    answered.set()  # before the loop ends, which waits for its threads


async def test_a_name_that_is_not_answered_for_keeps_nobody_from_the_other_one(
    postgres_url: str, unanswered: str
) -> None:
    """Each lookup holds a thread until it is answered, and a loop has a few dozen at most."""
    url = several(postgres_url.replace("127.0.0.1", "localhost"), unanswered)
    for connection in await asyncio.gather(*(hosts.connect(url) for _ in range(40))):
        await connection.close()


async def test_a_name_that_is_not_answered_for_holds_one_thread(
    postgres_url: str, unanswered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one host, as of several: what else a service looks up, Redis or another service, is found meanwhile."""
    asked, look_up = [], socket.getaddrinfo

    def counted(host: Any, *others: Any, **named: Any) -> Any:
        asked.append(host)
        return look_up(host, *others, **named)

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    url = f"postgresql://auth@{unanswered}/auth"
    calls = (hosts.connect(url, timeout=0.1) for _ in range(40))
    failed = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(each, TimeoutError) for each in failed), failed
    assert asked == ["gone.invalid"]
    connection = await hosts.connect(postgres_url.replace("127.0.0.1", "localhost"))
    await connection.close()


async def test_where_no_host_is_as_wanted_it_is_an_outage(postgres_url: str, silent: str) -> None:
    url = several(postgres_url, silent)
    database = Database(url, application="test")
    async with database.lifespan():
        database.engine.config["dsn"] = several(postgres_url, silent, "standby")
        with pytest.raises(Unavailable):
            async with database.patient_transaction():
                pass


def test_each_host_alone() -> None:
    url = "postgresql://auth:a%2Cb@one:1,two:2/auth?target_session_attrs=read-write"
    assert alternatives(url) == [url.replace(",two:2", ""), url.replace("one:1,", "")]
    assert alternatives("postgresql://auth@one/auth") == ["postgresql://auth@one/auth"]


async def test_a_directory_of_sockets_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_look_up", None)
    await hosts._until_known("postgresql://auth@%2Frun%2Fpostgresql/auth")
    await hosts._until_known("postgresql:///auth?host=/run/postgresql")
