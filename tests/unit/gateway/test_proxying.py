"""What the recorded requests do not show: streaming, repeats, failures, balancing."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from devstack.throwaway import free_port
from tests.unit.gateway import running
from tests.unit.gateway.echo import Echo
from tests.unit.gateway.raw_http import request
from tests.waiting import WITHIN

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def document(port: int, service: str = "", more: str = "") -> str:
    return f"""
_format_version: "3.0"
services:
  - name: s
    url: http://127.0.0.1:{port}
    {service}
    routes: [{{name: r, paths: [/]}}]
{more}
"""


@asynccontextmanager
async def upstream(connected: Connected) -> AsyncIterator[int]:
    """A server that does what `connected` says; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await connected(reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_an_answer_is_passed_on_while_it_is_still_coming(tmp_path: Path) -> None:
    seen_by_client = asyncio.Event()

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        await writer.drain()
        async with asyncio.timeout(WITHIN):
            await seen_by_client.wait()
        writer.write(b"4\r\nlast\r\n0\r\n\r\n")
        await writer.drain()

    async with upstream(slowly) as port, running.gateway(tmp_path, document(port)) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(WITHIN):
            assert (await reader.readuntil(b"first")).endswith(b"first")
            seen_by_client.set()
            assert (await reader.readuntil(b"0\r\n\r\n")).find(b"last") >= 0
        writer.close()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/a%20b", 200),
        ("/a/../b", 200),
        ("/a?b=%zz", 200),
        ("/a%00b", 400),
        ("/a%zz", 400),
        ("/a%4", 400),
        ("/..", 400),
        ("/a/../../b", 400),
        ("/%2e%2e/b", 400),
        ("/a%2f..%2f..", 400),
        ("http://h/../b", 400),
        ("http://h#/b", 400),
    ],
)
async def test_a_target_that_nginx_cannot_read_is_refused(tmp_path: Path, target: str, status: int) -> None:
    echo = Echo("up")
    await echo.start()
    async with running.gateway(tmp_path, document(echo.port)) as gateway:
        assert (await request(gateway.port, "GET", target)).status == status
    await echo.stop()
    assert echo.seen == (status == 200)


@pytest.mark.parametrize(("host", "status"), [("a", 200), ("a.", 200), ("", 400), (".", 400), ("a..b", 400)])
async def test_a_host_that_is_none_is_refused(tmp_path: Path, host: str, status: int) -> None:
    echo = Echo("up")
    await echo.start()
    async with running.gateway(tmp_path, document(echo.port)) as gateway:
        assert (await request(gateway.port, "GET", "/", {"Host": host})).status == status
    await echo.stop()


@pytest.mark.parametrize(
    ("buffer", "more", "status"),
    [("4k", 3000, 200), ("4k", 4200, 502), ("16k", 15_000, 200), ("16k", 16_500, 502)],
)
async def test_a_head_that_fits_into_no_buffer_of_nginx_is_a_502(
    tmp_path: Path, buffer: str, more: int, status: int
) -> None:
    size = {"KONG_NGINX_PROXY_PROXY_BUFFER_SIZE": buffer}

    async def tells_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Much: " + b"a" * more + b"\r\n\r\n")
        await writer.drain()

    async with upstream(tells_much) as port, running.gateway(tmp_path, document(port), **size) as gateway:
        assert (await request(gateway.port, "GET", "/")).status == status


async def test_a_broken_get_is_repeated_and_a_broken_post_is_not(tmp_path: Path) -> None:
    calls: list[bytes] = []

    async def breaks_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0])
        if len(calls) > 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

    async with (
        upstream(breaks_once) as port,
        running.gateway(tmp_path, document(port, "retries: 1")) as gateway,
    ):
        assert (await request(gateway.port, "GET", "/")).status == 200
        assert calls == [b"GET", b"GET"]
        calls.clear()
        assert (await request(gateway.port, "POST", "/", body=b"{}")).status == 502
        assert calls == [b"POST"]


async def test_an_upstream_that_is_too_slow_is_504_in_bounded_time(tmp_path: Path) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    timeouts = "read_timeout: 100\n    retries: 0"
    async with upstream(never) as port, running.gateway(tmp_path, document(port, timeouts)) as gateway:
        async with asyncio.timeout(WITHIN):
            assert (await request(gateway.port, "GET", "/")).status == 504


async def test_requests_are_spread_over_an_upstreams_targets(tmp_path: Path) -> None:
    first, second = Echo("first"), Echo("second")
    await first.start()
    await second.start()
    targets = f'targets: [{{target: "127.0.0.1:{first.port}"}}, {{target: "127.0.0.1:{second.port}"}}]'
    pool = f"upstreams: [{{name: pool, {targets}}}]"
    written = document(80, more=pool).replace("http://127.0.0.1:80", "http://pool:80")
    async with running.gateway(tmp_path, written) as gateway:
        for _ in range(4):
            assert (await request(gateway.port, "GET", "/")).status == 200
    assert (first.seen, second.seen) == (2, 2)
    await first.stop()
    await second.stop()


async def test_a_post_goes_to_the_next_target_where_no_connection_comes_about(tmp_path: Path) -> None:
    good = Echo("good")
    await good.start()
    with ExitStack() as held:
        silent = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = silent.getsockname()
        for _ in range(3):  # its queue is full from now on: like a host that is gone, it answers no SYN
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        targets = f'targets: [{{target: "127.0.0.1:{address[1]}"}}, {{target: "127.0.0.1:{good.port}"}}]'
        pool = f"upstreams: [{{name: pool, {targets}}}]"
        written = document(80, "connect_timeout: 200", pool).replace("http://127.0.0.1:80", "http://pool:80")
        async with running.gateway(tmp_path, written) as gateway:
            assert (await request(gateway.port, "POST", "/", body=b"{}")).status == 200
    assert good.seen == 1
    await good.stop()


async def test_a_plugin_server_that_is_down_is_500_and_nothing_goes_upstream(tmp_path: Path) -> None:
    echo = Echo("upstream")
    await echo.start()
    plugin = {"Name": "guard", "Phases": ["access"], "Priority": 1, "Version": "1", "Schema": {"fields": []}}
    (tmp_path / "guard.json").write_text(json.dumps({"Protocol": "ProtoBuf:1", "Plugins": [plugin]}))
    settings = {
        "KONG_PLUGINSERVER_NAMES": "guard",
        "KONG_PLUGINSERVER_GUARD_SOCKET": str(tmp_path / "guard.socket"),
        "KONG_PLUGINSERVER_GUARD_QUERY_CMD": f"cat {tmp_path / 'guard.json'}",
    }
    async with running.gateway(
        tmp_path, document(echo.port, more="plugins: [{name: guard}]"), **settings
    ) as gateway:
        answer = await request(gateway.port, "GET", "/", {"Accept": "application/json"})
    assert (answer.status, json.loads(answer.body)["message"]) == (500, "An unexpected error occurred")
    assert echo.seen == 0
    await echo.stop()


async def test_refuses_and_drops_what_nginx_does(tmp_path: Path) -> None:
    echo = Echo("upstream")
    await echo.start()
    settings = {
        "KONG_NGINX_PROXY_UNDERSCORES_IN_HEADERS": "off",
        "KONG_NGINX_PROXY_CLIENT_MAX_BODY_SIZE": "1k",
    }
    async with running.gateway(tmp_path, document(echo.port), **settings) as gateway:
        twice = [("Authorization", "Bearer a"), ("authorization", "Bearer b")]
        assert (await request(gateway.port, "GET", "/", twice)).status == 400
        chunked = {"Transfer-Encoding": "chunked"}
        big = b"800\r\n" + b"x" * 2048 + b"\r\n0\r\n\r\n"
        assert (await request(gateway.port, "POST", "/", chunked, big)).status == 413
        assert echo.seen == 0
        seen = json.loads((await request(gateway.port, "GET", "/", {"X_User_Id": "1", "X-Other": "2"})).body)
    names = [name for name, _ in seen["headers"]]
    assert "X-Other" in names and "X_User_Id" not in names
    await echo.stop()


async def test_says_what_it_passes_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = document(free_port(), more="plugins: [{name: ip-restriction, config: {allow: [127.0.0.1]}}]")
    async with running.gateway(tmp_path, written):
        pass
    assert "passes over these plugins: ip-restriction" in capsys.readouterr().out


@pytest.mark.parametrize("value", [b"\xec\x87\xbc\xed\x95\x91/1.0", b"caf\xe9/1", b"\xff\xfe\x80"])
async def test_header_values_pass_byte_for_byte_both_ways(tmp_path: Path, value: bytes) -> None:
    heads: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Back: %b\r\n\r\n" % value)
        await writer.drain()

    async with upstream(echo) as port, running.gateway(tmp_path, document(port)) as gateway:
        text = value.decode("latin-1")
        answer = await request(gateway.port, "GET", "/", {"User-Agent": text})
    assert b"User-Agent: %b\r\n" % value in heads[0]
    assert answer.header("X-Back") == text
