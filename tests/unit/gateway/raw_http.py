"""HTTP/1.1 without a library's opinions: what is written is sent, what comes is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RawAnswer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for field, value in self.headers if field.lower() == name.lower()), None)


async def request(
    port: int,
    method: str,
    target: str,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    body: bytes = b"",
) -> RawAnswer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    fields = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    names = {name.lower() for name, _ in fields}
    if "host" not in names:
        fields.append(("Host", f"127.0.0.1:{port}"))
    if body and not names & {"content-length", "transfer-encoding"}:
        fields.append(("Content-Length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    try:
        writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
        await writer.drain()
        return await read_answer(reader, method)
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader, method: str) -> RawAnswer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head.split("\r\n")[:-2]
    _, status, reason = line.split(" ", 2)
    headers = [(name, value) for name, _, value in (field.partition(": ") for field in fields)]
    answer = RawAnswer(int(status), reason, headers, b"")
    if method == "HEAD":
        return answer
    length = answer.header("Content-Length")
    if length is not None:
        return RawAnswer(answer.status, reason, headers, await reader.readexactly(int(length)))
    if (answer.header("Transfer-Encoding") or "").lower() == "chunked":
        return RawAnswer(answer.status, reason, headers, await _chunks(reader))
    return RawAnswer(answer.status, reason, headers, b"")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return body
