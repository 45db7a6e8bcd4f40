"""A protocol on a transport of memory: bytes in, in any pieces; bytes out."""

import asyncio
import re
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from common.http_server.protocol import StrictProtocol
from tests.framing.corpus import Read

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


class Transport(asyncio.Transport):
    """As a socket's: what is written after its end goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended = False

    def write(self, data: Any) -> None:
        if not self.ended:
            self.written += bytes(data)

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Recorder:
    """An application that reads every request to its end, and answers which one it was."""

    def __init__(self, *, early: bool = False) -> None:
        self.reads: list[Read] = []
        self.headers: list[dict[bytes, bytes]] = []
        self.fields: list[list[tuple[bytes, bytes]]] = []
        self._early = early

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", not self._early
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message["body"]
            more = message["more_body"]
        target = scope["raw_path"].decode()
        self.reads.append((scope["method"], target, body))
        self.headers.append(dict(scope["headers"]))
        self.fields.append(list(scope["headers"]))
        answer = target.encode()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"%d" % len(answer)), (b"x-target", answer)],
            }
        )
        await send({"type": "http.response.body", "body": answer})


def protocol(app: Any) -> tuple[StrictProtocol, Transport]:
    """`app`: an ASGI application."""
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None)
    config.load()
    made, transport = StrictProtocol(config, ServerState(), {}), Transport()
    made.connection_made(transport)
    return made, transport


async def settle(made: StrictProtocol) -> None:
    """Until every request that has begun waits for bytes or is answered."""
    for _ in range(4):
        await asyncio.sleep(0)
    while made.cycle is not None and not made.cycle.response_complete and not made.cycle.more_body:
        if made.transport.is_closing():
            break
        await asyncio.sleep(0)


async def feed(recorder: Recorder, *pieces: bytes) -> Transport:
    """Sends the pieces; the transport at the end of it."""
    made, transport = protocol(recorder)
    for piece in pieces:
        if transport.ended:
            break
        made.data_received(piece)
        await settle(made)
    made.connection_lost(ConnectionResetError())
    await asyncio.gather(*made.tasks)
    return transport


def statuses(answer: bytes) -> list[int]:
    """Those of all answers but 100."""
    return [int(found) for found in _STATUS.findall(answer) if found != b"100"]
