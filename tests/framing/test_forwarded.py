"""What goes upstream of a client's headers, the same from a real Kong and from the stand-in."""

import asyncio
from pathlib import Path

import pytest

from tests.framing.corpus import HOST
from tests.framing.paths import GATEWAYS, INSTALLED, path
from tests.framing.wire import Recorder
from tests.waiting import WITHIN

WEBSOCKET = [b"connection: keep-alive, Upgrade", b"upgrade: websocket"]
KEPT = [b"connection: keep-alive"]
SENT: dict[str, tuple[bytes, list[bytes]]] = {
    "a websocket": (b"Connection: Upgrade\r\nUpgrade: websocket\r\n", WEBSOCKET),
    "a websocket, spelt otherwise": (b"Connection: upgrade\r\nUpgrade: WebSocket\r\n", WEBSOCKET),
    "a websocket that Connection does not name": (b"Upgrade: websocket\r\n", WEBSOCKET),
    "h2c": (b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: a\r\n", KEPT),
    "trailers": (b"Connection: TE\r\nTE: trailers\r\n", [*KEPT, b"te: trailers"]),
    "codings and trailers": (b"Connection: TE\r\nTE: gzip, trailers\r\n", [*KEPT, b"te: trailers"]),
    "close": (b"Connection: close\r\n", KEPT),
    "what Connection names": (b"Connection: X-Hop\r\nX-Hop: a\r\n", KEPT),
    "an underscore": (b"X_User_Id: a\r\n", KEPT),
    "other names that nginx does not know": (b"X!A: a\r\nX.B: b\r\n", KEPT),
    "repeated fields": (b"X-A: 1\r\nx-a: 2\r\n", [*KEPT, b"x-a: 1", b"x-a: 2"]),
    "no value": (b"X-A:\r\n", [*KEPT, b"x-a: "]),
    "bytes": (b"X-A: \xe9\xff\r\n", [*KEPT, b"x-a: \xe9\xff"]),
}
_ADDED = (b"host", b"via", b"x-forwarded-", b"x-real-ip", b"x-request-id", b"x-kong-")


async def _ask(port: int, fields: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/x HTTP/1.1\r\n" + HOST + fields + b"\r\n")
    async with asyncio.timeout(WITHIN):
        await reader.readuntil(b"/api/x")
    writer.close()


on_each_gateway = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind,
            marks=pytest.mark.skipif(kind == "Kong" and not INSTALLED, reason="there is no kong on the PATH"),
        )
        for kind in GATEWAYS
    ],
)


@pytest.mark.timeout(300)
@on_each_gateway
async def test_an_answer_with_many_tags_comes_back(kind: str, tmp_path: Path) -> None:
    """nginx' own buffer for the head of an answer has 4 KiB, and a list of a hundred products names them all."""
    target = b"/api/" + b"a" * 7000  # which the answer repeats in a header
    async with path(f"{kind} service", Recorder(), tmp_path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        async with asyncio.timeout(WITHIN):
            head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
    assert head.startswith(b"HTTP/1.1 200 ") and target in head


@pytest.mark.timeout(300)
@on_each_gateway
@pytest.mark.parametrize("passes", [True, False], ids=["upgrades passed on", "the template as it is"])
async def test_a_service_is_sent_what_kong_sends(kind: str, passes: bool, tmp_path: Path) -> None:
    recorder, found = Recorder(), {}
    async with path(f"{kind}{'+upgrades' * passes} service", recorder, tmp_path) as port:
        for name, (fields, _) in SENT.items():
            await _ask(port, fields)
            sent = sorted(b": ".join(field) for field in recorder.fields[-1])
            found[name] = [line for line in sent if not line.startswith(_ADDED)]
    ends = (b"upgrade", b"te: ")
    expected = {
        name: lines
        if passes
        else KEPT + [line for line in lines if line not in WEBSOCKET + KEPT and not line.startswith(ends)]
        for name, (_, lines) in SENT.items()
    }
    assert found == expected
