"""Requests that are not served: each is refused here, and nothing of it reaches an upstream."""

import asyncio

import pytest
from aiohttp import web

from frontend_proxy.edge import limits
from tests.frontend.conftest import Front, Start
from tests.waiting import WITHIN, until

HOST = b"Host: shop.example\r\n"


async def exchange(front: Front, request: bytes, *, patience: float = 20.0) -> bytes:
    """Sends raw bytes; what comes back until the proxy closes, or falls silent for `patience` seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    answer = b""
    try:
        writer.write(request)
        await writer.drain()
        while chunk := await asyncio.wait_for(reader.read(65536), patience):
            answer += chunk
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "head",
    [
        b"POST /api/x HTTP/1.1\r\n"
        + HOST
        + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/x HTTP/1.1\r\n"
        + HOST
        + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: 4, 4\r\n\r\nabcd",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: +4\r\n\r\nabcd",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: 0x4\r\n\r\nabcd",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length : 4\r\n\r\nabcd",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /api/x HTTP/1.1\r\n"
        + HOST
        + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabcd\r\n0\r\n\r\n",
        b"GET /api/x HTTP/1.1\r\n" + HOST + b"X-A: a\r\n b\r\n\r\n",
        b"GET /api/x HTTP/1.1\r\n" + HOST + b"X-A: a\x00b\r\n\r\n",
        b"GET /api/x HTTP/1.1\r\n" + HOST + b"X A: b\r\n\r\n",
        b"GET /api/x HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
        b"GET /api/x HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
        b"GET /api/x HTTP/1.1\r\n\r\n",
        b"GET /api/x HTTP/1.1\r\nHost: shop.example@evil.example\r\n\r\n",
        b"GET http://shop.example@evil.example/api/x HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http:///api/x HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET ftp://shop.example/api/x HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://shop.example/api/../internal HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/x#fragment HTTP/1.1\r\n" + HOST + b"\r\n",
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api//x HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET //api/x HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/../internal/x HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/..;/internal HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/%2e%2e/internal HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/%2E./internal HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/%252e%252e/internal HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api%2finternal HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/x%00 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/x%0d%0aX: HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api\\x HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/x%5cy HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/x%zz HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /api/\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"HELLO\r\n\r\n",
    ],
)
async def test_an_ambiguous_request_is_a_400_and_ends_the_connection(front: Front, head: bytes) -> None:
    answer = await exchange(front, head)
    assert status(answer) == 400
    assert b"connection: close" in answer.lower()
    assert answer.lower().count(b"\r\ndate: ") == 1
    assert b"content-type: application/problem+json" in answer.lower()
    assert b"x-content-type-options: nosniff" in answer.lower()
    assert front.gateway.seen == [], "it was forwarded"


@pytest.mark.parametrize("path", ["/internal/accounts/1/status", "/api/../internal", "/INTERNAL/x", "/api"])
async def test_internal_addresses_are_nowhere(front: Front, path: str) -> None:
    answer = await exchange(front, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert status(answer) in {200, 400, 404}
    assert all(not seen.target.lower().startswith("/internal") for seen in front.gateway.seen)
    assert front.auth_server.seen == []


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.0"])
async def test_an_offered_upgrade_is_ignored_and_its_body_stays_its_own(front: Front, upgrade: bytes) -> None:
    hidden = b"\r\n\r\nPOST /api/hidden HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n"
    offer = (
        b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\nUpgrade: " + upgrade + b"\r\n"
    )
    head = b"POST /api/x HTTP/1.1\r\n" + HOST + offer + b"Content-Length: %d\r\n\r\n" % len(hidden)
    last = b"GET /api/last HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    answer = await exchange(front, head + hidden + last)
    assert answer.count(b"HTTP/1.1 200") == answer.count(b"HTTP/1.1 ") == 2
    assert [seen.target for seen in front.gateway.seen] == ["/api/x", "/api/last"]
    assert front.gateway.seen[0].body == hidden
    assert not {"upgrade", "http2-settings"} & {name.lower() for name in front.gateway.seen[0].headers}


async def test_an_absolute_target_names_the_host(start: Start) -> None:
    front = await start(app_env="production", public_origin="https://shop.example")
    ours = b"GET http://shop.example/sign-in HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert status(await exchange(front, ours)) == 200
    theirs = b"GET http://evil.example/sign-in HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    assert status(await exchange(front, theirs)) == 421


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND"])
async def test_methods_that_no_part_has_are_not_implemented(front: Front, method: str) -> None:
    assert status(await exchange(front, f"{method} /api/x HTTP/1.1\r\nHost: a\r\n\r\n".encode())) == 501


async def test_headers_beyond_the_limit_are_a_431(front: Front) -> None:
    large = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 4000) for number in range(9))
    assert status(await exchange(front, b"GET /api/x HTTP/1.1\r\n" + HOST + large + b"\r\n")) == 431
    many = b"".join(b"X-%d: a\r\n" % number for number in range(120))
    assert status(await exchange(front, b"GET /api/x HTTP/1.1\r\n" + HOST + many + b"\r\n")) == 431
    assert front.gateway.seen == []


async def test_a_head_without_end_is_dropped_before_it_fills_memory(front: Front) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(b"GET /api/x HTTP/1.1\r\n" + HOST + b"X-Long: ")
    with pytest.raises(ConnectionError):
        for _ in range(200):
            writer.write(b"a" * 65536)
            await writer.drain()
            await asyncio.sleep(0)
    writer.close()
    assert reader.at_eof() or reader.exception() is not None


@pytest.mark.parametrize("length", [8 * 1024 - 5, 9_000, 40_000, 70_000, 300_000])
async def test_a_target_beyond_the_limit_is_a_414(front: Front, length: int) -> None:
    head = b"GET /api/x?" + b"a" * length + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = await exchange(front, head)
    assert status(answer) == 414
    assert b"/problems/request-too-large" in answer


async def test_a_body_beyond_the_limit_is_a_413_whether_its_length_is_told_or_not(start: Start) -> None:
    front = await start(max_body=1000)
    told = b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n"
    assert status(await exchange(front, told)) == 413
    assert front.gateway.seen == []
    chunk = b"1f4\r\n" + b"a" * 500 + b"\r\n"
    untold = (
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3 + b"0\r\n\r\n"
    )
    assert status(await exchange(front, untold)) == 413


async def test_a_body_that_stops_arriving_is_a_408(start: Start) -> None:
    front = await start(client_timeout=0.2)
    head = b"POST /api/x HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc"
    assert status(await exchange(front, head)) == 408


@pytest.mark.parametrize("path", [b"/api/x", b"/api/auth/login", b"/sign-in"])
async def test_a_body_that_never_ends_is_a_408_however_short_its_pauses_are(
    start: Start, monkeypatch: pytest.MonkeyPatch, path: bytes
) -> None:
    monkeypatch.setattr(limits, "LONGEST_BODY_S", 0.3)
    front = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    kind = b"application/x-www-form-urlencoded" if path == b"/sign-in" else b"application/json"
    writer.write(b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Origin: http://shop.example\r\n")
    writer.write(b"Content-Type: " + kind + b"\r\nContent-Length: 5000\r\n\r\n")

    async def drip() -> None:
        while True:
            writer.write(b"a")
            await asyncio.sleep(0.02)

    dripping = asyncio.ensure_future(drip())
    try:
        assert status(await asyncio.wait_for(reader.readuntil(b"\r\n"), WITHIN)) == 408
    finally:
        dripping.cancel()
        writer.close()


async def test_trailer_fields_do_not_become_headers(front: Front) -> None:
    request = (
        b"POST /api/x HTTP/1.1\r\n" + HOST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\na\r\n0\r\nX-Late: yes\r\n\r\n"
    )
    assert status(await exchange(front, request)) == 200
    assert "X-Late" not in front.gateway.seen[0].headers


async def test_a_second_request_in_the_same_bytes_is_judged_on_its_own(front: Front) -> None:
    first = b"GET /api/one HTTP/1.1\r\n" + HOST + b"\r\n"
    second = b"GET /api/%2e%2e/internal HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = await exchange(front, first + second)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert answer.count(b"HTTP/1.1 400") == 1
    assert [seen.target for seen in front.gateway.seen] == ["/api/one"]


async def test_bytes_that_are_no_request_end_the_connection_after_the_answer_that_is_on_its_way(
    front: Front,
) -> None:
    more = asyncio.Event()

    async def gateway(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "8"})
        await response.prepare(request)
        await response.write(b"some")
        await more.wait()
        await response.write(b"more")
        return response

    front.gateway.answer = gateway
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(b"GET /api/x HTTP/1.1\r\n" + HOST + b"\r\n")
    answer = b""
    while not answer.endswith(b"some"):
        answer += await asyncio.wait_for(reader.read(65536), WITHIN)
    writer.write(b"HELLO\r\n\r\n")
    await writer.drain()
    more.set()
    answer += await asyncio.wait_for(reader.read(), WITHIN)
    writer.close()
    assert answer.endswith(b"somemore")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_a_connection_beyond_the_limit_is_told_to_come_later(start: Start) -> None:
    front = await start(max_connections=2)
    idle = [await asyncio.open_connection("127.0.0.1", front.port) for _ in range(2)]
    answer = await exchange(front, b"GET /api/x HTTP/1.1\r\n" + HOST + b"\r\n")
    assert status(answer) == 503
    assert b"application/problem+json" in answer and b"retry-after: 2" in answer.lower()
    assert front.gateway.seen == []
    for _, writer in idle:
        writer.close()
        await writer.wait_closed()

    async def served() -> bool:
        request = b"GET /api/x HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
        return status(await exchange(front, request)) == 200

    await until(served)


async def test_in_production_only_the_public_host_is_served(start: Start) -> None:
    front = await start(app_env="production", public_origin="https://shop.example")
    served = await exchange(front, b"GET /sign-in HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert status(served) == 200
    other = await exchange(front, b"GET /sign-in HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert status(other) == 421
    probe = await exchange(front, b"GET /health HTTP/1.1\r\nHost: 10.0.0.7:3000\r\nConnection: close\r\n\r\n")
    assert status(probe) == 200
