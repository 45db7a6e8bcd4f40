"""An upstream that tells what it saw, byte for byte in its header names."""

from __future__ import annotations

import asyncio
import json


class Echo:
    def __init__(self, name: str) -> None:
        self._name = name
        self._server: asyncio.Server | None = None
        self.port = 0
        self.seen = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.split("\r\n")[:-2]
        method, target, _ = line.split(" ")
        headers = [field.split(": ", 1) for field in fields]
        length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
        body = (await reader.readexactly(length)).decode("latin-1")
        self.seen += 1
        seen = {"upstream": self._name, "method": method, "target": target, "headers": headers, "body": body}
        content = json.dumps(seen).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nServer: BaseHTTP/0.6\r\nDate: Sun, 22 Nov 2026 07:12:49 GMT\r\n"
            b"Content-Type: application/json\r\n" + f"Content-Length: {len(content)}\r\n\r\n".encode()
        )
        writer.write(b"" if method == "HEAD" else content)
        await writer.drain()
        return True
