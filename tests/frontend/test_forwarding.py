"""What crosses the proxy, byte for byte, and what does not."""

import asyncio
import gzip
import os
import time
from collections.abc import AsyncIterator

import psutil
import pytest
from aiohttp import web

from tests.frontend.conftest import Front, Start
from tests.waiting import WITHIN


async def test_paths_and_queries_arrive_as_they_were_sent(front: Front) -> None:
    for target in ("/api/a%20b/%ED%95%9C?q=%2F%2e&x=a+b&&=", "/api/x?", "/api/a;b=c/d@e:f"):
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        await reader.read()
        writer.close()
        assert front.gateway.seen[-1].target == target.removesuffix("?")


async def test_clients_cannot_say_who_they_are_or_where_they_come_from(front: Front) -> None:
    forged = {
        "Authorization": "Bearer forged",
        "X-User-Id": "1",
        "X-User-Roles": "admin",
        "X-Session-Id": "1",
        "X-Internal-Key": "guess",
        "X-Consumer-Username": "root",
        "X-Credential-Identifier": "root",
        "X-Authenticated-Userid": "root",
        "X-Anonymous-Consumer": "false",
        "Forwarded": "for=1.2.3.4",
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/x",
        "X-Real-IP": "1.2.3.4",
        "X-Original-URL": "/internal",
        "X_User_Id": "1",
        "Proxy-Authorization": "Basic eA==",
        "Cookie": "a=b",
    }
    await _get(front, "/api/home", forged)
    sent = front.gateway.seen[0].headers
    assert sent["X-Forwarded-For"] == "127.0.0.1"
    assert sent["X-Forwarded-Proto"] == "http"
    assert sent["X-Forwarded-Host"] == f"127.0.0.1:{front.port}"
    ours = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
    assert {name.lower() for name in sent} & {name.lower() for name in forged} == ours


async def test_a_trusted_terminator_says_where_the_client_is(start: Start) -> None:
    front = await start(trusted_proxies="127.0.0.0/8, 10.0.0.0/8")
    hops = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.1.2.3", "X-Forwarded-Proto": "https"}
    await _get(front, "/api/home", hops)
    sent = front.gateway.seen[0].headers
    assert sent["X-Forwarded-For"] == "203.0.113.7"
    assert sent["X-Forwarded-Proto"] == "https"


async def test_headers_of_one_hop_stay_on_it(front: Front) -> None:
    async def gateway(_: web.Request) -> web.Response:
        return web.Response(
            text="x",
            headers={
                "Connection": "X-Private",
                "X-Private": "1",
                "Keep-Alive": "timeout=5",
                "Server": "inner",
                "Set-Cookie": "access_token=planted",
                "X-Public": "1",
            },
        )

    front.gateway.answer = gateway
    headers = {"Connection": "keep-alive, X-Hop", "X-Hop": "1", "TE": "trailers", "X-End": "1"}
    async with front.browser.get(f"{front.url}/api/x", headers=headers) as answer:
        assert answer.headers["X-Public"] == "1"
        assert not {"X-Private", "Keep-Alive", "Server", "Set-Cookie"} & set(answer.headers)
    sent = front.gateway.seen[0].headers
    assert sent["X-End"] == "1"
    assert not any(name in sent for name in ("X-Hop", "TE", "Keep-Alive"))


HEADER_BYTES = [
    b"\xec\x87\xbc\xed\x95\x91\xec\x95\xb1/1.0",
    "café/1".encode("latin-1"),
    b"\xff\xfe\x80",
    b"a\tb",
]


@pytest.mark.parametrize("value", HEADER_BYTES)
async def test_header_values_arrive_byte_for_byte(start: Start, value: bytes) -> None:
    received = asyncio.Queue[bytes]()

    async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nLocation: /%b\r\n" % value
            + b'Content-Disposition: attachment; filename="%b"\r\nConnection: close\r\n\r\n' % value
        )
        writer.close()

    server = await asyncio.start_server(gateway, "127.0.0.1", 0)
    async with server:
        front = await start(gateway_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        head = b"GET /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: %b\r\nX-Any: %b\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        writer.write(head % (value, value))
        answer = await reader.read()
        writer.close()
    request = (await received.get()).split(b"\r\n")
    assert b"user-agent: %b" % value in request
    assert b"x-any: %b" % value in request
    lines = answer.split(b"\r\n")
    assert b"location: /%b" % value in lines
    assert b'content-disposition: attachment; filename="%b"' % value in lines


async def test_nothing_is_added_on_a_clients_behalf(front: Front) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(b"GET /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    await reader.read()
    writer.close()
    assert {name.lower() for name in front.gateway.seen[0].headers} == {
        "host",
        "traceparent",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-request-id",
    }


async def test_compressed_answers_pass_as_they_are(front: Front) -> None:
    body = gzip.compress(b"hello" * 100)

    async def gateway(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    front.gateway.answer = gateway
    async with front.browser.get(f"{front.url}/api/x") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert await answer.read() == body


async def test_upstream_problems_and_redirects_pass_through(front: Front) -> None:
    async def gateway(request: web.Request) -> web.Response:
        if request.path == "/api/moved":
            return web.Response(status=302, headers={"Location": "/api/there"})
        headers = {"WWW-Authenticate": 'Bearer realm="api"', "Retry-After": "7"}
        return web.json_response(
            {"status": 429}, status=429, content_type="application/problem+json", headers=headers
        )

    front.gateway.answer = gateway
    async with front.browser.get(f"{front.url}/api/x") as answer:
        assert answer.status == 429
        assert answer.headers["Retry-After"] == "7"
        assert answer.content_type == "application/problem+json"
    async with front.browser.get(f"{front.url}/api/moved", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/api/there")


async def test_head_204_and_304_have_no_body(front: Front) -> None:
    async def gateway(request: web.Request) -> web.Response:
        status = int(request.path.rpartition("/")[2])
        return web.Response(status=status, text="four" if request.method == "HEAD" else None)

    front.gateway.answer = gateway
    async with front.browser.head(f"{front.url}/api/200") as answer:
        assert (answer.status, answer.headers["Content-Length"], await answer.read()) == (200, "4", b"")
    for status in (204, 304):
        async with front.browser.get(f"{front.url}/api/{status}") as answer:
            assert (answer.status, await answer.read()) == (status, b"")


async def test_the_request_id_and_the_trace_are_one_along_the_way(front: Front) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"X-Request-Id": "j-1", "traceparent": trace}
    async with front.browser.get(f"{front.url}/api/x", headers=headers) as answer:
        assert answer.headers["X-Request-Id"] == "j-1"
    sent = front.gateway.seen[0].headers
    assert sent["X-Request-Id"] == "j-1"
    # The front is a span of its own, in the same trace.
    assert sent["traceparent"].split("-")[1] == trace.split("-")[1]
    assert sent["traceparent"].split("-")[2] != trace.split("-")[2]
    async with front.browser.get(f"{front.url}/api/x", headers={"X-Request-Id": 'a"} {'}) as answer:
        assert answer.headers["X-Request-Id"] == front.gateway.seen[1].headers["X-Request-Id"] != 'a"} {'


async def test_an_upstream_that_is_away_is_a_502_and_a_silent_one_a_504(start: Start) -> None:
    front = await start(gateway_url="http://127.0.0.1:1")
    async with front.browser.get(f"{front.url}/api/x") as answer:
        assert answer.status == 502
        document = await answer.json()
    assert document["type"] == "/problems/upstream-unavailable"
    assert document["request_id"] == answer.headers["X-Request-Id"]
    assert "127.0.0.1" not in document["detail"]

    slow = await start(upstream_timeout=0.2)

    async def silent(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    slow.gateway.answer = silent
    async with slow.browser.get(f"{slow.url}/api/x") as answer:
        assert answer.status == 504


async def test_a_slow_upload_is_not_an_upstreams_silence(start: Start) -> None:
    front = await start(upstream_timeout=1.5)

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(6):
            await asyncio.sleep(0.4)
            yield b"x"

    async with front.browser.post(f"{front.url}/api/x", data=slowly()) as answer:
        assert answer.status == 200
    assert front.gateway.seen[0].body == b"xxxxxx"


async def test_an_answer_that_breaks_off_breaks_off_here_too(front: Front) -> None:
    async def gateway(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"some")
        assert request.transport is not None
        request.transport.close()
        return response

    front.gateway.answer = gateway
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(b"GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), WITHIN)
    writer.close()
    assert b"content-length: 1000" in answer.lower()
    assert answer.endswith(b"some")


async def test_a_download_ends_when_its_reader_leaves(front: Front) -> None:
    ended = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"a" * 65536)
        finally:
            ended.set()

    front.gateway.answer = endless
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(b"GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.read(1000)
    writer.close()
    await asyncio.wait_for(ended.wait(), WITHIN)


async def test_a_reader_who_stops_reading_is_dropped(start: Start) -> None:
    front = await start(client_timeout=0.3)
    ended = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"a" * 65536)
        finally:
            ended.set()

    front.gateway.answer = endless
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(b"GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.wait_for(ended.wait(), WITHIN)
    last = b""
    async with asyncio.timeout(WITHIN):
        while chunk := await reader.read(2**20):
            last = chunk
    writer.close()
    assert not last.endswith(b"0\r\n\r\n"), "it looks like a whole answer"


async def test_answers_arrive_while_they_are_made(front: Front) -> None:
    goon = asyncio.Event()

    async def gateway(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await goon.wait()
        await response.write(b"second")
        return response

    front.gateway.answer = gateway
    async with front.browser.get(f"{front.url}/api/x") as answer:
        assert await answer.content.readany() == b"first"
        goon.set()
        assert await answer.content.read() == b"second"


async def test_an_answers_head_arrives_before_its_body_is_there(front: Front) -> None:
    goon = asyncio.Event()

    async def gateway(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await goon.wait()
        await response.write(b"body")
        return response

    front.gateway.answer = gateway
    async with asyncio.timeout(WITHIN), front.browser.get(f"{front.url}/api/x") as answer:
        goon.set()
        assert await answer.content.read() == b"body"


async def test_a_large_download_stays_out_of_memory(front: Front) -> None:
    size, block = 100 * 2**20, b"a" * 65536

    async def gateway(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        for _ in range(size // len(block)):
            await response.write(block)
        return response

    front.gateway.answer = gateway
    process = psutil.Process(os.getpid())
    before, most, received = process.memory_info().rss, 0, 0
    async with front.browser.get(f"{front.url}/api/x") as answer:
        async for chunk in answer.content.iter_any():
            received += len(chunk)
            if received % 64 == 0 or received == size:
                most = max(most, process.memory_info().rss)
                # A reader slower than the sender: what it has not taken must not pile up in between.
                time.sleep(0.0002)
    assert received == size
    assert most - before < 30 * 2**20


async def _get(front: Front, path: str, headers: dict[str, str]) -> None:
    async with front.browser.get(front.url + path, headers=headers) as answer:
        assert answer.status == 200
