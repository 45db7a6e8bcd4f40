"""What crosses the proxy: which headers pass in each direction, and the stream of an answer back to the
browser."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import aiohttp
from multidict import CIMultiDict

from common import header_bytes
from frontend_proxy.asgi import Receive, Send
from frontend_proxy.cookies import Header
from frontend_proxy.problems import Problem
from frontend_proxy.upstream import Upstream

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110 §7.6.1, with the older names that still occur."""

_OURS = frozenset(
    {
        "authorization",  # comes from the cookie alone
        "cookie",
        "content-length",  # set again where the body's length is known
        "expect",  # answered by the server before the body is read
        "forwarded",
        "host",
        "x-internal-key",
        "x-original-url",
        "x-real-ip",
        "x-request-id",
        "x-rewrite-url",
        "x-session-id",
        "traceparent",
    }
)
_OURS_PREFIXES = ("x-forwarded-", "x-user-", "x-consumer-", "x-credential-", "x-internal-")

_NOT_FOR_BROWSERS = frozenset({"date", "server", "set-cookie", "via", "x-request-id"})
"""The server writes its own date; an upstream has no cookie to set here: sessions are this proxy's alone."""


def passed_on(headers: Iterable[Header]) -> CIMultiDict[str]:
    """The request headers that go upstream, before this proxy adds its own.

    A name with an underscore is dropped, as nginx does: some receivers read it as its twin with a hyphen.
    """
    headers = list(headers)
    named = _named_by_connection(headers)
    result: CIMultiDict[str] = CIMultiDict()
    for raw_name, raw_value in headers:
        name = raw_name.decode("ascii")
        if name in HOP_BY_HOP or name in named or name in _OURS or "_" in name:
            continue
        if not name.startswith(_OURS_PREFIXES):
            result.add(name, header_bytes.sendable(raw_value))
    return result


def passed_back(status: int, headers: Iterable[Header]) -> list[Header]:
    """The answer's headers that go to the browser."""
    headers = [(name.lower(), value) for name, value in headers]
    named = _named_by_connection(headers)
    bodiless = status in {204, 304}
    return [
        (name, value)
        for name, value in headers
        if (text := name.decode("latin-1")) not in HOP_BY_HOP
        and text not in named
        and text not in _NOT_FOR_BROWSERS
        and not (bodiless and text == "content-length")
    ]


def _named_by_connection(headers: Iterable[Header]) -> frozenset[str]:
    """Connection names further headers that end at this hop."""
    return frozenset(
        token.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for token in value.decode("latin-1").split(",")
    )


class Incoming:
    """A request's body as it arrives, and the news that its sender has left."""

    def __init__(self, receive: Receive, headers: Iterable[Header]) -> None:
        self._receive = receive
        framing = {
            name: value for name, value in headers if name in {b"content-length", b"transfer-encoding"}
        }
        self.length = framing[b"content-length"].decode("ascii") if b"content-length" in framing else None
        """The body's `Content-Length`, if it has one."""
        self.exists = bool(framing)
        self._finished = not self.exists
        self.fault: Problem | None = None
        """What ended the body early. An HTTP client that was reading from here reports it as its own
        connection's fault."""

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body. A browser that leaves in its midst ends the upstream request too."""
        while not self._finished:
            try:
                message = await self._receive()
            except Problem as fault:
                self.fault = fault
                raise
            if message["type"] == "http.disconnect":
                self.fault = Problem(400, "", "The request ended before its body did.", close=True)
                raise self.fault
            self._finished = not message.get("more_body", False)
            if message["body"]:
                yield message["body"]

    async def whole(self, limit: int) -> bytes:
        """The body at once. Raises Problem 413 beyond `limit` bytes."""
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > limit:
                raise Problem(
                    413, "request-too-large", f"This request's body is at most {limit} bytes.", close=True
                )
        return bytes(body)

    async def left(self) -> None:
        """Returns when the browser has gone. While its body is still being read elsewhere, that reader is
        told instead."""
        if not self._finished:
            await asyncio.Event().wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def stream(
    response: aiohttp.ClientResponse, upstream: Upstream, extra: list[Header], incoming: Incoming, send: Send
) -> None:
    """Sends an answer on while it arrives, never more of it in memory than a buffer; releases it at the end.

    An answer that breaks off upstream breaks off here: its end must not look like a whole one's.
    """
    leaving = asyncio.ensure_future(incoming.left())
    leaving.add_done_callback(lambda done: None if done.cancelled() else response.close())
    try:
        headers = passed_back(response.status, response.raw_headers) + extra
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except TimeoutError as fault:
        raise upstream.timed_out() from fault
    except aiohttp.ClientError as fault:
        if not leaving.done():
            raise upstream.unavailable() from fault
    finally:
        leaving.cancel()
        response.release()
