"""What a plugin server's own HTTP port answers: HTTP/1.1 with one reading, two addresses, two methods."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from kong.plugins.runtime.monitor import MAX_HEAD, Monitor
from tests.framing.corpus import CASES

HOST = b"Host: localhost\r\n"
Ask = Callable[..., Awaitable[bytes]]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Sends bytes, and returns all that comes back until the server closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Monitor("trial", lambda: True), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def asked(*pieces: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async with server:
        yield asked


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("path", ["/health", "/metrics", "/health?probe=1", "http://localhost:9601/health"])
async def test_a_head_has_the_fields_of_a_get_and_no_body(ask: Ask, path: str) -> None:
    target = path.encode()
    got = await ask(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    head = await ask(b"HEAD " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    fields, _, body = got.partition(b"\r\n\r\n")
    assert status(got) == status(head) == 200
    assert b"Content-Length: %d\r\n" % len(body) in fields + b"\r\n"
    assert body, "a GET has one"
    assert head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1
    names = [
        [line.split(b":")[0] for line in one.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]] for one in (got, head)
    ]
    assert names[0] == names[1]


@pytest.mark.parametrize("method", [b"POST", b"OPTIONS", b"DELETE", b"HEADS", b"get"])
async def test_another_method_is_told_which_there_are(ask: Ask, method: bytes) -> None:
    answer = await ask(method + b" /health HTTP/1.1\r\n" + HOST + b"\r\n")
    assert status(answer) == 405
    assert b"\r\nAllow: GET, HEAD\r\n" in answer


async def test_another_path_is_not_found_whatever_the_method(ask: Ask) -> None:
    for method in (b"GET", b"HEAD", b"POST"):
        assert status(await ask(method + b" /health/ HTTP/1.1\r\n" + HOST + b"\r\n")) == 404


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (b"GET /health\r\n" + HOST + b"\r\n", 400),
        (b"GET  /health HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /health HTTP/1.1 \r\n" + HOST + b"\r\n", 400),
        (b"GET\t/health HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b" GET /health HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"G(T /health HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET health HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /hea\x00lth HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /health http/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /health HTTP/1.2\r\n" + HOST + b"\r\n", 505),
        (b"GET /health HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
        (b"GET /health HTTP/1.0\r\n\r\n", 200),
        (b"GET /health HTTP/1.1\r\n" + HOST + b" folded\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"X-A : 1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\nHost: localhost\n\n", 400),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"X-A: a\nX-B: b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"X-A: a\rX-B: b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n", 200),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (
            b"GET /health HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            400,
        ),
        (b"GET /health HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /" + b"a" * MAX_HEAD + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * MAX_HEAD + b"\r\n\r\n", 431),
    ],
)
async def test_what_has_two_readings_is_refused(ask: Ask, raw: bytes, wanted: int) -> None:
    assert status(await ask(raw)) == wanted


async def test_a_request_may_come_in_pieces(ask: Ask) -> None:
    raw = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
    assert status(await ask(*(raw[at : at + 1] for at in range(len(raw))))) == 200


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_no_framing_gets_two_answers(ask: Ask, case: object) -> None:
    answer = await ask(getattr(case, "raw"))  # noqa: B009
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert not answer.startswith(b"HTTP/1.1 200"), "none of them asks for what there is"
