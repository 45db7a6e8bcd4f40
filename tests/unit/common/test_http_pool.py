"""The client's connections, against a server that says exactly what a test wants: whose answer is whose, where it ends,
and what is done with the connection then."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from common import http_pool
from common.http_exchange import BUFFERED, MAX_HEAD, ExchangeFailed
from common.http_pool import Pool, request_head, split
from tests.waiting import WITHIN

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Script = Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Peer:
    """A server whose `script` gets the number of the connection. `heads` are the requests that it was sent."""

    def __init__(self, script: "Callable[[Peer], Script]") -> None:
        self._script = script(self)
        self.serving: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.heads: list[bytes] = []
        self.url = ""

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        return head

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.connections = self.connections, self.connections + 1
        task = asyncio.ensure_future(self._script(number, reader, writer))
        self.serving.add(task)
        await asyncio.wait({task})
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            task.result()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.serving.discard(task)


@asynccontextmanager
async def talking(script: Callable[[Peer], Script], **options: float) -> AsyncIterator[tuple[Peer, Pool]]:
    peer = Peer(script)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    pool = Pool(**{"connections": 4, "keepalive": 30.0, "connect_within": WITHIN, **options})  # type: ignore[arg-type]
    try:
        yield peer, pool
    finally:
        pool.close()
        server.close()
        for task in list(peer.serving):
            task.cancel()
        while peer.serving:
            await asyncio.sleep(0.01)


async def ask(pool: Pool, peer: Peer, method: str = "GET", **more: object) -> tuple[int, bytes | None]:
    origin, target = split(f"{peer.url}/path?q=1")
    body = more.pop("body", None)
    exchange = await pool.request(method, origin, target, [], body, within=WITHIN, upload_within=WITHIN)  # type: ignore[arg-type]
    return exchange.status, await exchange.read(1_000_000, WITHIN)


def always(answer: bytes) -> Callable[[Peer], Script]:
    def script(peer: Peer) -> Script:
        async def run(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await peer.request(reader)
                writer.write(answer)

        return run

    return script


def once(answer: bytes) -> Callable[[Peer], Script]:
    """Then the peer closes."""

    def script(peer: Peer) -> Script:
        async def run(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await peer.request(reader)
            writer.write(answer)

        return run

    return script


async def test_a_connection_is_used_again() -> None:
    async with talking(always(OK)) as (peer, pool):
        assert [await ask(pool, peer) for _ in range(3)] == [(200, b"ok")] * 3
        assert peer.connections == 1
        assert peer.heads[0].startswith(b"GET /path?q=1 HTTP/1.1\r\nHost: 127.0.0.1:")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
            (200, b"ok!"),
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", (304, b"")),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, (200, b"ok")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK, (200, b"ok")),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", (500, b"")),
    ],
)
async def test_an_answer_ends_where_its_framing_says(answer: bytes, outcome: tuple[int, bytes]) -> None:
    async with talking(always(answer)) as (peer, pool):
        assert [await ask(pool, peer) for _ in range(3)] == [outcome] * 3
        assert peer.connections == 1


async def test_an_answer_to_head_has_no_body_whatever_length_it_tells() -> None:
    async with talking(always(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")) as (peer, pool):
        assert [await ask(pool, peer, "HEAD") for _ in range(2)] == [(200, b"")] * 2
        assert peer.connections == 1


async def test_without_a_length_the_answer_ends_with_its_connection() -> None:
    async with talking(once(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as (peer, pool):
        assert [await ask(pool, peer) for _ in range(2)] == [(200, b"all of it")] * 2
        assert peer.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * MAX_HEAD,
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
)
async def test_what_is_not_one_whole_answer_is_none(answer: bytes) -> None:
    async with talking(once(answer)) as (peer, pool):
        with pytest.raises(ExchangeFailed):
            await ask(pool, peer)
        assert peer.connections == 1


async def test_what_comes_beyond_an_answer_is_nobodys() -> None:
    forged = OK.replace(b"ok", b"no")
    async with talking(always(OK + forged)) as (peer, pool):
        assert [await ask(pool, peer) for _ in range(3)] == [(200, b"ok")] * 3
        assert peer.connections == 3


async def test_what_comes_unasked_is_nobodys_even_if_nobody_has_read_it_yet() -> None:
    told = asyncio.Event()

    def script(peer: Peer) -> Script:
        async def run(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await peer.request(reader)
            writer.write(OK)
            if number == 0:
                await told.wait()
                writer.get_extra_info("socket").setblocking(False)
                writer.write(OK.replace(b"ok", b"no"))
                await writer.drain()
            await reader.read()

        return run

    async with talking(script) as (peer, pool):
        assert await ask(pool, peer) == (200, b"ok")
        told.set()
        # One turn of the loop: the words are on their way, and nothing has been received.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await ask(pool, peer) == (200, b"ok")
        assert peer.connections == 2


async def test_a_kept_connection_that_ends_unanswered_costs_an_idempotent_request_nothing() -> None:
    def script(peer: Peer) -> Script:
        async def run(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await peer.request(reader)
            writer.write(OK)
            await peer.request(reader)
            if number == 1:
                writer.write(OK)

        return run

    async with talking(script) as (peer, pool):
        assert [await ask(pool, peer) for _ in range(3)] == [(200, b"ok")] * 3
        assert (peer.connections, len(peer.heads)) == (2, 4)


async def test_a_post_is_never_sent_again() -> None:
    def script(peer: Peer) -> Script:
        async def run(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await peer.request(reader)
            writer.write(OK)
            await peer.request(reader)

        return run

    async with talking(script) as (peer, pool):
        assert await ask(pool, peer) == (200, b"ok")
        with pytest.raises(ExchangeFailed):
            await ask(pool, peer, "POST", body=b"")
        assert len(peer.heads) == 2


async def test_a_new_connection_that_ends_unanswered_is_a_failure() -> None:
    async with talking(once(b"")) as (peer, pool):
        with pytest.raises(ExchangeFailed):
            await ask(pool, peer)
        assert peer.connections == 1


async def test_no_more_exchanges_at_once_than_connections_allowed() -> None:
    inside, most = 0, 0
    full = asyncio.Event()

    def script(peer: Peer) -> Script:
        async def run(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal inside, most
            while True:
                await peer.request(reader)
                inside += 1
                most = max(most, inside)
                if inside == 3:
                    full.set()
                await full.wait()
                await asyncio.sleep(0.01)  # the others' turn, if they had one
                inside -= 1
                writer.write(OK)

        return run

    async with talking(script, connections=3) as (peer, pool):
        assert set(await asyncio.gather(*(ask(pool, peer) for _ in range(20)))) == {(200, b"ok")}
        assert most == peer.connections == 3


async def test_whoever_gives_up_takes_its_connection_with_it_and_frees_its_place() -> None:
    def script(peer: Peer) -> Script:
        async def run(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await peer.request(reader)
            if number == 0:
                await reader.read()
            writer.write(OK)

        return run

    async with talking(script, connections=1) as (peer, pool):
        asking = asyncio.ensure_future(ask(pool, peer))
        while not peer.heads:
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait({asking})
        assert await ask(pool, peer) == (200, b"ok")


async def test_a_kept_connection_that_falls_silent_is_given_up_in_time() -> None:
    def script(peer: Peer) -> Script:
        async def run(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await peer.request(reader)
            writer.write(OK)
            await peer.request(reader)
            if number == 0:
                await reader.read()
            writer.write(OK)

        return run

    async with talking(script) as (peer, pool):
        assert await ask(pool, peer) == (200, b"ok")
        origin, target = split(f"{peer.url}/path")
        with pytest.raises(TimeoutError):
            await pool.request("GET", origin, target, [], within=0.05)
        assert await ask(pool, peer) == (200, b"ok"), "on another connection"
        assert peer.connections == 2


async def test_each_exchange_of_a_kept_connection_has_a_time_of_its_own() -> None:
    pause = 0.0

    def script(peer: Peer) -> Script:
        async def run(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await peer.request(reader)
                await asyncio.sleep(pause)
                writer.write(OK)

        return run

    async with talking(script) as (peer, pool):
        origin, target = split(f"{peer.url}/path")

        async def asked(within: float) -> bytes | None:
            return await (await pool.request("GET", origin, target, [], within=within)).read(10)

        assert await asked(WITHIN) == b"ok"
        assert await asked(1.0) == b"ok"
        pause = 1.3
        assert await asked(WITHIN) == b"ok", "the time of the exchange before is not this one's"
        pause = 60
        with pytest.raises(TimeoutError):
            await asked(0.1)
        assert peer.connections == 1


async def test_a_reader_that_is_behind_stops_the_peer() -> None:
    size = 64 * BUFFERED

    def script(peer: Peer) -> Script:
        async def run(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await peer.request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(64):
                writer.write(b"x" * BUFFERED)
                await writer.drain()

        return run

    async with talking(script) as (peer, pool):
        origin, target = split(peer.url)
        exchange = await pool.request("GET", origin, target, [], within=WITHIN)
        await asyncio.sleep(0.2)
        assert exchange._size < 4 * BUFFERED
        received = 0
        while chunk := await exchange.chunk(WITHIN):
            received += len(chunk)
        assert received == size


async def test_a_body_is_streamed_by_its_length_or_in_chunks() -> None:
    bodies: list[bytes] = []

    def script(peer: Peer) -> Script:
        async def run(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                chunked = b"Transfer-Encoding: chunked" in await peer.request(reader)
                bodies.append(
                    await reader.readuntil(b"0\r\n\r\n") if chunked else await reader.readexactly(6)
                )
                writer.write(OK)

        return run

    async def pieces() -> AsyncIterator[bytes]:
        yield b"abc"
        yield b"def"

    async with talking(script) as (peer, pool):
        assert await ask(pool, peer, "POST", body=pieces()) == (200, b"ok")
        origin, target = split(peer.url)
        sized = [("Content-Length", "6")]
        exchange = await pool.request(
            "POST", origin, target, sized, pieces(), within=WITHIN, upload_within=WITHIN
        )
        assert await exchange.read(100) == b"ok"
        assert bodies == [b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", b"abcdef"]


async def test_a_refusal_in_the_middle_of_an_upload_arrives_and_ends_it() -> None:
    refused = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)

    async with talking(always(refused)) as (peer, pool):
        assert await ask(pool, peer, "POST", body=endless()) == (413, b"")
        assert await ask(pool, peer) == (413, b"")
        assert peer.connections == 2


async def test_what_a_bodys_own_iteration_raises_comes_through() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise ZeroDivisionError

    async with talking(always(OK)) as (peer, pool):
        with pytest.raises(ZeroDivisionError):
            await ask(pool, peer, "POST", body=broken())


async def test_an_idle_connection_is_closed_after_a_while() -> None:
    async with talking(always(OK), keepalive=0.05) as (peer, pool):
        assert await ask(pool, peer) == (200, b"ok")
        while pool._origins:
            await asyncio.sleep(0.02)
        assert await ask(pool, peer) == (200, b"ok")
        assert peer.connections == 2


async def test_an_old_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_pool, "CONNECTION_LIVES_S", 0.0)
    async with talking(always(OK)) as (peer, pool):
        assert [await ask(pool, peer) for _ in range(2)] == [(200, b"ok")] * 2
        assert peer.connections == 2


async def test_of_two_addresses_one_that_refuses_costs_nothing() -> None:
    async with talking(always(OK)) as (peer, pool):

        async def both(host: str, port: int) -> list[str]:
            return ["127.0.0.9", "127.0.0.1"]

        pool._resolver = both
        origin, target = split(peer.url.replace("127.0.0.1", "service.test"))
        for _ in range(4):
            exchange = await pool.request("GET", origin, target, [("Connection", "close")], within=WITHIN)
            assert await exchange.read(10) == b"ok"


async def test_where_nobody_listens_is_an_error_of_the_system() -> None:
    pool = Pool(connections=1, keepalive=1.0)
    origin, target = split("http://127.0.0.1:9/")
    for _ in range(2):
        with pytest.raises(OSError, match="9"):
            await pool.request("GET", origin, target, [], within=WITHIN)


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/a b", []),
        ("GET", "/\r\nX: y", []),
        ("GET", "/é", []),
        ("GET /", "/", []),
        ("GET", "/", [("X", "a\r\nY: b")]),
        ("GET", "/", [("X", "a\0")]),
        ("GET", "/", [("X Y", "a")]),
    ],
)
def test_what_would_be_another_message_is_not_sent(
    method: str, target: str, headers: list[tuple[str, str]]
) -> None:
    with pytest.raises(ValueError, match=r"sent|target"):
        request_head(method, "host", target, headers)


def test_bytes_that_are_no_text_are_sent_as_they_are() -> None:
    head = request_head("GET", "host", "/", [("X", b"\xff\xc3\xa9".decode("utf-8", "surrogateescape"))])
    assert head == b"GET / HTTP/1.1\r\nHost: host\r\nX: \xff\xc3\xa9\r\n\r\n"


@pytest.mark.parametrize("url", ["ftp://a/", "http:///x", "http://user:secret@a/", "a"])
def test_what_names_no_host_to_ask_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="host"):
        split(url)
