"""A server that ends answers what is on its way, and says that it is the last."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from common.http_server.protocol import StrictProtocol

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def server() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    server = uvicorn.Server(
        uvicorn.Config(
            app, http=StrictProtocol, port=0, lifespan="off", log_level="error", timeout_graceful_shutdown=5
        )
    )
    serving = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server, server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def answer(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"ok")


async def begins_to_end(server: uvicorn.Server) -> None:
    server.should_exit = True
    while server.servers[0].is_serving():
        await asyncio.sleep(0.01)


async def test_a_request_on_a_kept_connection_is_answered_while_the_server_ends(
    server: tuple[uvicorn.Server, int],
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server[1])
    writer.write(REQUEST)
    assert b"connection: close" not in await answer(reader)
    await begins_to_end(server[0])
    writer.write(REQUEST)
    assert b"connection: close" in await answer(reader)
    assert await reader.read() == b""
    writer.close()


async def test_one_on_which_nothing_comes_is_closed(server: tuple[uvicorn.Server, int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server[1])
    writer.write(REQUEST)
    await answer(reader)
    await begins_to_end(server[0])
    assert await reader.read() == b""
    writer.close()
