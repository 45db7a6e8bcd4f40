"""Kept connections to services: bounded in number, clean when they are used again, spread over a name's addresses.

Of several addresses one that hangs is left out for a while (common/address_health.py). An idempotent request whose
kept connection ends unanswered is sent once more on another one (RFC 9110 §9.2.2); nothing else is ever repeated.
"""

import asyncio
import itertools
import re
import socket
import ssl
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from common.address_health import AddressHealth
from common.http_exchange import Connection, Exchange, ExchangeFailed
from common.slots import Slots

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name and a port, numeric. Raises OSError where there are none."""
Body = bytes | AsyncIterable[bytes] | None

NAMES_KEPT_S = 10.0
NEXT_ADDRESS_AFTER_S = 0.25
"""Until the next address is tried beside one that has not answered yet (RFC 8305)."""
CONNECTION_LIVES_S = 60.0
"""After that a connection is not used again, so that requests reach new replicas too."""
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})

_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})
_UNFIT_IN_A_LINE = re.compile(r"[\x00-\x20\x7f]").search


class Origin(NamedTuple):
    host: str
    port: int
    tls: bool
    authority: str


@lru_cache(maxsize=1024)
def split(url: str) -> tuple[Origin, str]:
    """Where a request goes, and its target: path and query as they stand. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError("not an http(s) address of a host")
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    origin = Origin(parts.hostname, port, tls, parts.netloc)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return origin, target


async def system_addresses(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Pool:
    """`connections` bounds all exchanges at once, further ones wait; `keepalive` is how long an idle connection is
    kept, in seconds. Close it with `close`."""

    def __init__(
        self,
        *,
        connections: int,
        keepalive: float,
        connect_within: float | None = None,
        resolver: Resolver = system_addresses,
    ) -> None:
        self._slots = Slots(connections)
        self._keepalive = keepalive
        self._connect_within = connect_within
        self._resolver = resolver
        self._health = AddressHealth()
        self._names: dict[Origin, tuple[float, list[str]]] = {}
        self._turn = itertools.count()
        self._idle: dict[Origin, list[Connection]] = {}
        self._origins: dict[Connection, Origin] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    async def request(
        self,
        method: str,
        origin: Origin,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: Body = None,
        *,
        within: float,
        upload_within: float = 0.0,
    ) -> Exchange:
        """Sends a request; returns when the answer's head is there. Read the body, or close the exchange.

        `within` seconds may pass until then; for a body that is streamed, after its end, which may take
        `upload_within`. Raises ExchangeFailed, OSError where no connection can be had, and TimeoutError. What the
        body's own iteration raises comes through.
        """
        headers = list(headers)
        streamed = None if body is None or isinstance(body, bytes) else body
        chunked = streamed is not None and not any(name.lower() == "content-length" for name, _ in headers)
        if chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        elif isinstance(body, bytes) or (body is None and method in _WITH_CONTENT):
            headers.append(("Content-Length", str(len(body or b""))))
        data = request_head(method, origin.authority, target, headers) + (
            body if isinstance(body, bytes) else b""
        )
        head_only = method == "HEAD"
        while True:
            connection: Connection | None = None
            try:
                if streamed is None and (connection := self._kept(origin)) is not None:
                    exchange = connection.begin(data, head_only=head_only, within=within)
                    await exchange.started
                    self._health.answered(connection.address)
                    return exchange
                async with asyncio.timeout(within):
                    connection = await self._connection(origin)
                    exchange = connection.begin(data, head_only=head_only, whole=streamed is None)
                    if streamed is None:
                        await exchange.started
                if streamed is not None:
                    async with asyncio.timeout(upload_within):
                        await _upload(connection, exchange, streamed, chunked=chunked)
                    async with asyncio.timeout(within):
                        await exchange.started
            except TimeoutError:
                if connection is not None:
                    connection.abort()
                    self._timed_out(connection.address)
                raise
            except ExchangeFailed as fault:
                if fault.unanswered and streamed is None and method in IDEMPOTENT:
                    continue  # each time a kept connection fewer: a new one is never unanswered in this sense
                raise
            except BaseException:
                if connection is not None:
                    connection.abort()
                raise
            self._health.answered(connection.address)
            return exchange

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._idle.clear()
        for connection in list(self._origins):
            connection.abort()
        self._origins.clear()

    # ----- Connections ----------------------------------------------------------------------------------------

    def _kept(self, origin: Origin) -> Connection | None:
        """A kept connection, if there is one to be had without waiting."""
        if not self._idle.get(origin) or not self._slots.take():
            return None
        connection = None
        try:
            connection = self._taken(origin)
        finally:
            if connection is None:
                self._slots.give_back()
        return connection

    async def _connection(self, origin: Origin) -> Connection:
        await self._slots.wait()
        try:
            return self._taken(origin) or await self._open(origin)
        except BaseException:
            self._slots.give_back()
            raise

    def _taken(self, origin: Origin) -> Connection | None:
        """The kept connection that was used last and can be used again; those that cannot are closed."""
        idle = self._idle.get(origin)
        now = asyncio.get_running_loop().time()
        while idle:
            connection = idle.pop()
            if self._fresh(connection, now) and connection.usable():
                connection.kept = True
                return connection
            self._drop(connection)
        return None

    async def _open(self, origin: Origin) -> Connection:
        async with asyncio.timeout(self._connect_within):
            addresses = await self._addresses(origin)
            connection = await self._first_of(origin, addresses)
        self._origins[connection] = origin
        return connection

    async def _addresses(self, origin: Origin) -> list[str]:
        """Usable ones, another one first each time."""
        now = asyncio.get_running_loop().time()
        until, known = self._names.get(origin, (0.0, []))
        if until <= now:
            known = list(await self._resolver(origin.host, origin.port))
            if not known:
                raise OSError(f"{origin.host} has no address")
            self._names[origin] = (now + NAMES_KEPT_S, known)
        usable = self._health.usable(known)
        first = next(self._turn) % len(usable)
        return usable[first:] + usable[:first]

    async def _first_of(self, origin: Origin, addresses: Sequence[str]) -> Connection:
        """The first connection that opens; the next address is tried when one is refused, or slow."""
        if len(addresses) == 1:
            return await self._connect(origin, addresses[0])
        waiting = list(addresses)
        trying: set[asyncio.Task[Connection]] = set()
        fault: OSError | None = None
        try:
            while waiting or trying:
                if waiting:
                    trying.add(asyncio.ensure_future(self._connect(origin, waiting.pop(0))))
                done, trying = await asyncio.wait(
                    trying,
                    timeout=NEXT_ADDRESS_AFTER_S if waiting else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in done:
                    error = task.exception()
                    if error is None:
                        trying |= done - {task}
                        return task.result()
                    if not isinstance(error, OSError):
                        raise error
                    fault = error
            raise fault or OSError("no address")
        finally:
            for task in trying:
                task.cancel()
                task.add_done_callback(_close_unused)

    async def _connect(self, origin: Origin, address: str) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: Connection(loop, address, self._finished),
            address,
            origin.port,
            ssl=_tls() if origin.tls else None,
            server_hostname=origin.host if origin.tls else None,
        )
        return connection

    def _finished(self, connection: Connection, reusable: bool) -> None:
        self._slots.give_back()
        origin = self._origins.get(connection)
        if origin is None or not reusable:
            self._drop(connection)
            return
        loop = connection.loop
        connection.idle_since = loop.time()
        self._idle.setdefault(origin, []).append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._keepalive, self._sweep)

    def _sweep(self) -> None:
        """Closes what has been idle for too long."""
        self._sweeper = None
        left = False
        for idle in self._idle.values():
            for connection in list(idle):
                if not self._fresh(connection, connection.loop.time()):
                    idle.remove(connection)
                    self._drop(connection)
            left = left or bool(idle)
        if left:
            self._sweeper = asyncio.get_running_loop().call_later(self._keepalive, self._sweep)

    def _fresh(self, connection: Connection, now: float) -> bool:
        return now - connection.idle_since < self._keepalive and now - connection.opened < CONNECTION_LIVES_S

    def _drop(self, connection: Connection) -> None:
        self._origins.pop(connection, None)
        connection.close()

    def _timed_out(self, address: str) -> None:
        if self._health.failed(address):
            for idle in self._idle.values():
                for connection in [each for each in idle if each.address == address]:
                    idle.remove(connection)
                    self._drop(connection)


def request_head(method: str, authority: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Raises ValueError for what would be another message (RFC 9112 §11.1).

    Text that `header_bytes.sendable` made of bytes becomes those bytes again.
    """
    if not target.isascii() or _UNFIT_IN_A_LINE(target) or _UNFIT_IN_A_LINE(method):
        raise ValueError("not a method and a target")
    lines = [f"{method} {target} HTTP/1.1\r\nHost: {authority}"]
    for name, value in headers:
        # Looked at one by one in C: a regular expression for each name and value would be a third of a call's cost.
        if "\r" in value or "\n" in value or "\0" in value or _unfit_name(name):
            raise ValueError(f"the header {name!a} cannot be sent")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


@lru_cache(maxsize=256)
def _unfit_name(name: str) -> bool:
    return _UNFIT_IN_A_LINE(name) is not None


async def _upload(
    connection: Connection, exchange: Exchange, body: AsyncIterable[bytes], *, chunked: bool
) -> None:
    """Sends a body as it comes, until its end, or until the answer begins: a refusal need not wait for the rest."""

    async def send() -> None:
        async for piece in body:
            if piece:
                await connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            await connection.send(b"0\r\n\r\n")
        connection.sent()

    sending = asyncio.ensure_future(send())
    try:
        await asyncio.wait({sending, exchange.started}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and not exchange.started.done():
            sending.result()
    finally:
        sending.cancel()
        await asyncio.wait({sending})
        if not sending.cancelled():
            sending.exception()  # seen: an answer counts for more


def _close_unused(task: "asyncio.Task[Connection]") -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
