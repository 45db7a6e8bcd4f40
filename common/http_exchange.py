"""One HTTP/1.1 connection to a service, and the exchange on it, read as strictly as our servers read requests.

An answer ends where RFC 9112 §6.3 says. Whatever comes beyond it, or while nothing was asked, closes the connection:
taken for the answer to the next request, it would reach somebody else.
"""

import asyncio
import select
from collections import deque
from collections.abc import Callable

import httptools

MAX_HEAD = 64 * 1024
"""Bytes of an answer's head, interim ones included."""
BUFFERED = 256 * 1024
"""Bytes of a body that wait for their reader, before no more is read."""

_BODILESS = frozenset({204, 304})


class ExchangeFailed(Exception):  # noqa: N818 - named as the outcome that it is
    """There is no whole answer. `unanswered`: a kept connection ended before a byte of one came."""

    def __init__(self, reason: str, *, unanswered: bool = False) -> None:
        super().__init__(reason)
        self.unanswered = unanswered


class Exchange:
    """A request's answer: its head when `started` is done, its body piece by piece."""

    __slots__ = (
        "_chunks",
        "_connection",
        "_fault",
        "_size",
        "_waiter",
        "bodiless",
        "complete",
        "raw_headers",
        "started",
        "status",
    )

    def __init__(self, connection: "Connection", *, head_only: bool) -> None:
        self._connection = connection
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._fault: ExchangeFailed | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.bodiless = head_only
        self.complete = False
        self.status = 0
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.started: asyncio.Future[None] = connection.loop.create_future()

    @property
    def small(self) -> bool:
        """Whether the rest of the body is one piece, or none."""
        return len(self._chunks) <= 1

    @property
    def waits(self) -> bool:
        """Whether more of the body is still to come, and nothing of it is here."""
        return not self.complete and not self._chunks

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case; empty where there is none."""
        for name, value in self.raw_headers:
            if name.lower() == b"content-type":
                return value.partition(b";")[0].strip().lower().decode("latin-1")
        return ""

    async def chunk(self, within: float | None = None) -> bytes:
        """The next piece, empty at the end. Raises ExchangeFailed, and TimeoutError after `within` seconds."""
        while not self._chunks:
            if self._fault is not None:
                raise self._fault
            if self.complete:
                return b""
            self._waiter = self._connection.loop.create_future()
            async with asyncio.timeout(within):
                await self._waiter
        chunk = self._chunks.popleft()
        self._size -= len(chunk)
        if not self.complete and self._size <= BUFFERED:
            self._connection.resume()
        return chunk

    async def read(self, limit: int, within: float | None = None) -> bytes | None:
        """The whole body; None where it has more than `limit` bytes, and then the connection is closed.

        `within` bounds each wait. Raises ExchangeFailed and TimeoutError.
        """
        try:
            if self.complete and len(self._chunks) == 1 and self._size <= limit:
                return self._chunks.popleft()
            content = bytearray()
            while chunk := await self.chunk(within):
                content += chunk
                if len(content) > limit:
                    return None
            return bytes(content)
        finally:
            self.close()

    def close(self) -> None:
        """Gives up what has not come yet; nothing to do where all has."""
        if not self.complete:
            self._connection.abort()

    # ----- What the connection tells ------------------------------------------------------------------------

    def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status = status
        self.raw_headers = headers
        self.bodiless = self.bodiless or status in _BODILESS
        if not self.started.done():
            self.started.set_result(None)

    def add(self, chunk: bytes) -> bool:
        """True where the reader is behind."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._wake()
        return self._size > BUFFERED

    def end(self) -> None:
        self.complete = True
        self._wake()

    def fail(self, fault: ExchangeFailed) -> None:
        self._fault = fault
        if not self.started.done():
            self.started.set_exception(fault)
            self.started.exception()  # seen, whether or not anybody waits
        self._wake()

    def overdue(self) -> None:
        self.started.set_exception(TimeoutError())
        self.started.exception()  # seen, whether or not anybody waits

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection(asyncio.Protocol):
    """`finished(connection, reusable)` is called once for each exchange, when nothing more of it can come."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: str,
        finished: Callable[["Connection", bool], None],
    ) -> None:
        self.loop = loop
        self.address = address
        self.opened = self.idle_since = loop.time()
        self.kept = False
        """Whether it has carried an exchange before this one."""
        self._finished = finished
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._exchange: Exchange | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._whole = True  # the request has been sent
        self._keep_alive = self._until_close = self._interim = self._beyond = self._paused = False
        self._writable: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    # ----- For the pool ---------------------------------------------------------------------------------------

    def usable(self) -> bool:
        """Open, and nothing has arrived while nothing was asked: neither words nor the end."""
        return self._transport is not None and not self._transport.is_closing() and not self._poll.poll(0)

    def begin(
        self, data: bytes, *, head_only: bool, whole: bool = True, within: float | None = None
    ) -> Exchange:
        """Sends a request, or with `whole=False` its beginning, and returns the answer to come.

        `started` raises TimeoutError where its head is not there after `within` seconds.
        """
        if self._exchange is not None:
            raise RuntimeError("the connection is not free")
        self._exchange = exchange = Exchange(self, head_only=head_only)
        self._parser = httptools.HttpResponseParser(self)
        self._headers = []
        self._head_bytes = 0
        self._whole = whole
        self._keep_alive = self._until_close = self._interim = self._beyond = False
        if self._transport is None or self._transport.is_closing():
            self._end(ExchangeFailed("the connection ended before the request"))
        else:
            self._transport.write(data)
            if within is not None:
                self._expect_within(within)
        return exchange

    async def send(self, data: bytes) -> None:
        """More of a request's body. Raises ExchangeFailed where nobody takes it any more."""
        if self._writable is not None:
            await self._writable
        if self._exchange is None or self._transport is None or self._transport.is_closing():
            raise ExchangeFailed("the connection ended within the request")
        self._transport.write(data)

    def sent(self) -> None:
        """The request is whole."""
        self._whole = True

    def resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._end(ExchangeFailed("given up"))

    def _expect_within(self, seconds: float) -> None:
        # One alarm for many exchanges, most of which are over when it goes off: setting and cancelling one for each
        # is a tenth of a call.
        self._deadline = self.loop.time() + seconds
        if self._alarm is not None and self._alarm.when() > self._deadline:
            self._alarm.cancel()
            self._alarm = None
        if self._alarm is None:
            self._alarm = self.loop.call_at(self._deadline, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._alarm = None
        if self._exchange is None or self._exchange.started.done():
            return
        if self.loop.time() < self._deadline:
            self._alarm = self.loop.call_at(self._deadline, self._look_at_clock)
        else:
            self._exchange.overdue()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # ----- asyncio.Protocol -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None or self._parser is None:
            self.close()
            return
        if not exchange.started.done():
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as fault:
            self._broken(f"an answer that is not HTTP/1.1: {type(fault).__name__}")
            return
        if exchange.complete:
            self._end(None)
        elif not exchange.started.done() and self._head_bytes > MAX_HEAD:
            self._broken("the head of the answer is too large")

    def eof_received(self) -> None:
        if self._exchange is not None and self._until_close:
            self._exchange.end()
            self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        if self._exchange is not None and self._until_close and error is None:
            self._exchange.end()
        unanswered = self.kept and self._head_bytes == 0
        self._transport = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._end(
            ExchangeFailed(f"the connection ended: {error or 'closed by the peer'}", unanswered=unanswered)
        )

    def pause_writing(self) -> None:
        self._writable = self.loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # ----- httptools ------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._exchange is None or self._exchange.complete:
            self._beyond = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._parser is None or self._exchange is None or self._exchange.complete:
            return
        status = self._parser.get_status_code()
        if status == 101:
            raise ValueError("another protocol that nobody asked for")
        self._interim = status < 200
        if self._interim:
            self._headers = []
            return
        self._keep_alive = self._parser.should_keep_alive()
        self._exchange.begin(status, self._headers)
        if self._exchange.bodiless:
            self._exchange.end()
            return
        names = [name.lower() for name, _ in self._headers]
        codings = [
            value.strip().lower()
            for name, (_, value) in zip(names, self._headers, strict=True)
            if name == b"transfer-encoding"
        ]
        if codings not in ([], [b"chunked"]) or (codings and self._parser.get_http_version() == "1.0"):
            raise ValueError("a transfer coding that nobody asked for")
        self._until_close = not codings and b"content-length" not in names

    def on_body(self, body: bytes) -> None:
        if self._exchange is None or self._exchange.complete:
            self._beyond = True
        elif self._exchange.add(body) and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        elif self._exchange is not None and not self._exchange.complete:
            self._exchange.end()

    # ----- Ends -----------------------------------------------------------------------------------------------

    def _broken(self, reason: str) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._end(ExchangeFailed(reason))

    def _end(self, fault: ExchangeFailed | None) -> None:
        """The exchange is over, well or not; the connection may carry another."""
        exchange, self._exchange, self._parser = self._exchange, None, None
        if exchange is None:
            return
        if not exchange.complete:
            exchange.fail(fault or ExchangeFailed("given up"))
        reusable = (
            exchange.complete
            and self._transport is not None
            and not self._transport.is_closing()
            and self._whole
            and not self._beyond
            and not self._until_close
            and self._keep_alive
        )
        self.resume()
        self._finished(self, reusable)
