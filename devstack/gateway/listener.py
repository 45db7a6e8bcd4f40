"""The proxy's port: one connection after another request, each read as nginx reads it and answered in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from devstack.gateway import request_reading
from devstack.gateway.headers import Headers
from devstack.gateway.request_reading import Head, Refused

IDLE_SECONDS = 75.0
HEAD_SECONDS = 60.0
LINGER_SECONDS = 2.0
STOP_SECONDS = 10.0


class Incoming:
    """One request. `fault` is the status of nginx' own answer to bytes that are none; its head is then empty."""

    def __init__(self, connection: Connection, head: Head, fault: int = 0) -> None:
        self.head = head
        self.fault = fault
        self.client, self.port = connection.addresses()
        self.read_whole = fault != 0 or head.length == 0
        self._connection = connection

    async def body(self, most: int) -> bytes:
        """The whole body. Raises Refused, or ConnectionError where the client goes away."""
        if self.read_whole:
            return b""
        if self.head.version >= (1, 1) and (self.head.headers.get("Expect") or "").lower() == "100-continue":
            self._connection.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            content = await request_reading.body(self._connection.reader, self.head.length, most)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the client went away") from error
        self.read_whole = True
        return content

    @property
    def kept_alive(self) -> bool:
        return self.head.kept_alive and self.read_whole and not self.fault

    async def begin(self, status: int, reason: str, headers: Headers, *, has_body: bool) -> None:
        """The answer's head. A body without a length is chunked, or ends with the connection."""
        self._chunked = False
        keep = self.kept_alive
        if has_body and "Content-Length" not in headers:
            self._chunked = self.head.version >= (1, 1)
            keep = keep and self._chunked
            if self._chunked:
                headers.set("Transfer-Encoding", "chunked")
        if "Date" not in headers:
            headers.add("Date", formatdate(usegmt=True))
        headers.set("Connection", "keep-alive" if keep else "close")
        self._connection.keep = keep
        if self.head.version == (0, 9):
            return
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
        await self._write(f"HTTP/1.1 {status} {reason}\r\n{fields}\r\n".encode("latin-1"))

    async def send(self, piece: bytes) -> None:
        if piece:
            await self._write(b"%x\r\n%s\r\n" % (len(piece), piece) if self._chunked else piece)

    async def end(self) -> None:
        if self._chunked:
            await self._write(b"0\r\n\r\n")

    async def _write(self, content: bytes) -> None:
        """Raises ConnectionError where the client has gone."""
        self._connection.writer.write(content)
        await self._connection.writer.drain()


Handler = Callable[[Incoming], Awaitable[None]]


class Connection:
    """Serves one connection until either side ends it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.keep = True
        self.idle = True

    def addresses(self) -> tuple[tuple[str, int], int]:
        """The client's address and port, and the port that it came to."""
        peer, own = (self.writer.get_extra_info(name) for name in ("peername", "sockname"))
        return (peer[0], peer[1]) if peer else ("", 0), own[1] if own else 0

    async def serve(self, handler: Handler) -> None:
        while self.keep:
            self.idle = True
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    head = await request_reading.head(self.reader)
                if head is None:
                    return
                incoming = Incoming(self, head)
            except TimeoutError:
                return
            except Refused as refused:
                incoming = Incoming(
                    self, Head(refused.method, refused.target, (1, 0), Headers()), refused.status
                )
            self.keep = self.idle = False
            await handler(incoming)
        await self._linger()

    async def _linger(self) -> None:
        """What the client still sends would destroy the answer unread."""
        try:
            self.writer.write_eof()
            async with asyncio.timeout(LINGER_SECONDS):
                while await self.reader.read(65536):
                    pass
        except OSError:
            pass  # silent for too long (TimeoutError is one), or gone


class Listener:
    """All connections of the proxy's ports."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._servers: list[asyncio.Server] = []
        self.requests = 0

    async def listen(self, host: str, port: int) -> None:
        limit = request_reading.LARGEST_LINE
        self._servers.append(await asyncio.start_server(self._accept, host, port, limit=limit))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        connection = Connection(reader, writer)
        if task is not None:
            self._connections[task] = connection
            task.add_done_callback(self._connections.pop)
        try:
            await connection.serve(self._count)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or this gateway stops
        finally:
            writer.close()

    async def _count(self, incoming: Incoming) -> None:
        self.requests += 1
        await self._handler(incoming)

    async def close(self) -> None:
        """Requests under way are answered first, for `STOP_SECONDS`."""
        for server in self._servers:
            server.close()
        for task, connection in self._connections.items():
            connection.keep = False
            if connection.idle:
                task.cancel()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
