"""What the connection does with a peer that is not quite a Redis: one behind TLS, one that talks nonsense."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common.redis_link import RedisLink, StoreUnavailableError
from tests import local_certificate

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def pong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers every command with the number of its words."""
    while line := await reader.readline():
        words = int(line[1:])
        for _ in range(words):
            await reader.readexactly(int((await reader.readline())[1:]) + 2)
        writer.write(b":%d\r\n" % words)
    writer.close()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()
    writer.close()


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of its own authority for localhost, its key behind it in the same file."""
    file = tmp_path / "localhost.pem"
    file.write_bytes(b"".join(local_certificate.localhost()))
    return file


@pytest.fixture
async def tls_port(certificate: Path) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with serving(pong, context) as port:
        yield port


async def test_tls_with_an_authority_that_is_named(tls_port: int, certificate: Path) -> None:
    async with RedisLink(f"rediss://localhost:{tls_port}/0?ssl_ca_certs={certificate}", 5.0) as link:
        assert await link.command(b"ECHO", b"x") == 2


async def test_a_certificate_of_nobody_that_is_known_is_refused(tls_port: int) -> None:
    async with RedisLink(f"rediss://localhost:{tls_port}/0", 5.0) as link:
        with pytest.raises(StoreUnavailableError, match="certificate"):
            await link.command(b"ECHO", b"x")


async def test_a_certificate_of_another_name_is_refused(tls_port: int, certificate: Path) -> None:
    async with RedisLink(f"rediss://127.0.0.1:{tls_port}/0?ssl_ca_certs={certificate}", 5.0) as link:
        with pytest.raises(StoreUnavailableError, match="certificate"):
            await link.command(b"ECHO", b"x")


async def test_a_peer_that_talks_nonsense_is_an_unavailable_store() -> None:
    async with serving(nonsense) as port, RedisLink(f"redis://127.0.0.1:{port}", 2.0) as link:
        with pytest.raises(StoreUnavailableError, match="protocol"):
            await link.command(b"PING")
