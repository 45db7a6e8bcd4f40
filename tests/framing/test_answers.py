"""Every client of an upstream: an answer that is framed badly never reaches another request.

An upstream sends one of the answers below, and on the same connection, if it is kept, good ones. Whatever the first
client is told, the next ones get their own answers, on every hop that keeps connections.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from common.http_client import CallFailed, HttpClient
from tests.framing.corpus import HOST
from tests.framing.paths import INSTALLED, front, gateway
from tests.waiting import WITHIN

FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Type: text/plain\r\n\r\nforged"
OK = b"HTTP/1.1 200 OK\r\n"


def _sized(body: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


ANSWERS: dict[str, tuple[bytes, ...]] = {
    "an answer more": (_sized(b"ok") + FORGED,),
    "an answer more, later": (_sized(b"ok"), FORGED),
    "garbage after it": (_sized(b"ok") + b"garbage",),
    "garbage after it, later": (_sized(b"ok"), b"garbage"),
    "half an answer more, later": (_sized(b"ok"), FORGED[:40]),
    "line ends after it, then an answer": (_sized(b"ok") + b"\r\n\r\n", FORGED),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 60\r\n\r\nok" + FORGED,),
    "a list of lengths": (OK + b"Content-Length: 2, 60\r\n\r\nok" + FORGED,),
    "length and coding": (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + FORGED,),
    "coding, then length": (
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 90\r\n\r\n0\r\n\r\n" + FORGED,
    ),
    "a negative length": (OK + b"Content-Length: -1\r\n\r\nok" + FORGED,),
    "an unknown coding": (OK + b"Transfer-Encoding: identity\r\n\r\nok" + FORGED,),
    "two codings": (OK + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + FORGED,),
    "a bad chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + FORGED,),
    "a chunk after the last": (
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n2\r\nok\r\n0\r\n\r\n" + FORGED,
    ),
    "204 with a body": (b"HTTP/1.1 204 No Content\r\nContent-Length: 80\r\n\r\n" + FORGED,),
    "204 with a body, later": (b"HTTP/1.1 204 No Content\r\n\r\n", FORGED),
    "304 with a body": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 80\r\n\r\n" + FORGED,),
    "100, then an answer more": (b"HTTP/1.1 100 Continue\r\n\r\n" + _sized(b"ok") + FORGED,),
    "103, then an answer": (b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + _sized(b"ok"),),
    "101 unasked": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n" + FORGED,
    ),
    "a head in a header": (OK + b"X-A: b\r\r\nContent-Length: 2\r\n\r\nok" + FORGED,),
    "HEAD with a body": (OK + b"Content-Length: 80\r\n\r\n" + FORGED,),
    "HEAD with a body, later": (OK + b"Content-Length: 80\r\n\r\n", FORGED),
    "no version": (b"ICY 200 OK\r\n\r\n" + FORGED,),
}
CUT: dict[str, bytes] = {
    "a length cut short": OK + b"Content-Length: 60\r\n\r\nok",
    "a chunk cut short": OK + b"Transfer-Encoding: chunked\r\n\r\n10\r\nok",
    "no last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    "a head cut short": OK + b"Content-Le",
    "nothing": b"",
}
"""After these the upstream closes."""
_HEAD = re.compile(rb"[A-Z]+ /api/(good|bad)-(\d+) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"(?i)\ncontent-length: (\d+)")
CLOSE_DELIMITED = {"an unknown coding", "two codings"}
"""Their body ends with the connection (RFC 9112 §6.3)."""
CASES = [
    *((name, pieces, name in CLOSE_DELIMITED) for name, pieces in ANSWERS.items()),
    *((name, (raw,), True) for name, raw in CUT.items()),
]


class Upstream:
    """Answers `/api/bad-N` with the case of that number, and `/api/good-N` with that target."""

    def __init__(self) -> None:
        self.said_all = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                found = _HEAD.match(await reader.readuntil(b"\r\n\r\n"))
                assert found is not None
                if found[1] == b"good":
                    writer.write(_sized(found[1] + b"-" + found[2]))
                    await writer.drain()
                    continue
                _, pieces, closes = CASES[int(found[2])]
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    # So that the next piece is read alone, when the connection is back in the pool. On a machine that
                    # is too slow for that, the case is the one without "later".
                    await asyncio.sleep(0.05)
                self.said_all.set()
                if closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.said_all.set()
            writer.close()


Ask = Callable[[str, str], Awaitable[bytes]]
"""A method and the target's last part; the whole answer, empty where there was none."""


def _asking(port: int) -> Ask:
    """Each request on a client's connection of its own: what is shared is the hop's connection to the upstream."""

    async def ask(method: str, name: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = b""
        try:
            writer.write(f"{method} /api/{name} HTTP/1.1\r\nConnection: close\r\n".encode() + HOST + b"\r\n")
            async with asyncio.timeout(WITHIN):
                while piece := await reader.read(65536):
                    answer += piece
        except ConnectionError:
            pass
        except TimeoutError:
            answer += b"(and no end)"
        finally:
            writer.close()
        return answer

    return ask


@asynccontextmanager
async def _calling(upstream: int) -> AsyncIterator[Ask]:
    """The services' own client."""
    client = HttpClient(connections=1)
    async with client.lifespan():

        async def ask(method: str, name: str) -> bytes:
            try:
                answer = await client.call(method, f"http://127.0.0.1:{upstream}/api/{name}", timeout=5)
            except CallFailed:
                return b""
            return _sized(answer.body)

        yield ask


@asynccontextmanager
async def hop(kind: str, directory: Path) -> AsyncIterator[tuple[Ask, Upstream]]:
    upstream = Upstream()
    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
        stack.callback(server.close)
        port = server.sockets[0].getsockname()[1]
        if kind == "client of services":
            yield await stack.enter_async_context(_calling(port)), upstream
        else:
            entered = front(port) if kind == "front" else gateway(kind, port, directory, patience=2000)
            yield _asking(await stack.enter_async_context(entered)), upstream


def _complete(answer: bytes) -> bool:
    """Whether a client takes this for a whole answer of 200."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        return False
    length = _LENGTH.search(head)
    if length:
        return len(body) >= int(length[1])
    return body.endswith(b"0\r\n\r\n") if b"chunked" in head.lower() else True


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "kind",
    [
        "client of services",
        "front",
        "stand-in",
        pytest.param("Kong", marks=pytest.mark.skipif(not INSTALLED, reason="there is no kong on the PATH")),
    ],
)
async def test_an_answer_framed_badly_reaches_no_other_request(kind: str, tmp_path: Path) -> None:
    faults = []
    async with hop(kind, tmp_path) as (ask, upstream):
        for number, (name, *_) in enumerate(CASES):
            upstream.said_all.clear()
            first = await ask("HEAD" if name.startswith("HEAD") else "GET", f"bad-{number}")
            if name in CUT and _complete(first):
                faults.append(f"{name}: taken for a whole answer: {first!r}")
            async with asyncio.timeout(WITHIN):
                await upstream.said_all.wait()
            for again in range(3):
                target = f"good-{number}{again}"
                answer = await ask("GET", target)
                if not answer.startswith(b"HTTP/1.1 200") or not answer.endswith(target.encode()):
                    faults.append(f"{name}: {target} was told {answer!r}")
    assert not faults, "\n".join(faults)
