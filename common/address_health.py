"""Leaves out, for a while, an address of a name that takes connections and answers nothing.

A client that meets a hung replica waits its whole timeout. Connections that cannot be opened cost little: aiohttp tries
the next address after a quarter of a second (RFC 8305).
"""

import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from aiohttp.connector import Connection

FAILURES = 3
"""Timeouts in a row after which an address is left out."""
PAUSE = 15.0
"""Seconds until it is tried again; one more timeout then leaves it out anew."""
KNOWN = 256
"""Addresses that are remembered at most."""

_peer: ContextVar[deque[str] | None] = ContextVar("peer", default=None)


class AddressHealth:
    """Timeouts in a row by address, and until when an address is left out. `clock` in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, int] = {}
        self._left_out: dict[str, float] = {}

    def failed(self, address: str) -> bool:
        """A timeout of `address`. True where it is left out by it."""
        count = self._failures.pop(address, 0) + 1
        self._failures[address] = count
        for oldest in list(self._failures)[:-KNOWN]:
            self._forget(oldest)
        if count >= FAILURES:
            self._left_out[address] = self._clock() + PAUSE
        return count >= FAILURES

    def answered(self, address: str) -> None:
        if address in self._failures:
            self._forget(address)

    def usable(self, addresses: Sequence[str]) -> list[str]:
        """`addresses` without those that are left out; all of them where none would remain."""
        now = self._clock()
        good = [address for address in addresses if self._left_out.get(address, 0.0) <= now]
        return good or list(addresses)

    def _forget(self, address: str) -> None:
        self._failures.pop(address, None)
        self._left_out.pop(address, None)


class HealthyResolver(AbstractResolver):
    """Resolves a name to its usable addresses."""

    def __init__(self, health: AddressHealth, resolver: AbstractResolver) -> None:
        self._health = health
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        usable = set(self._health.usable([result["host"] for result in found]))
        return [result for result in found if result["host"] in usable]

    async def close(self) -> None:
        await self._resolver.close()


class WatchedRequest(ClientRequest):
    """Notes the address that it is sent to, for `watched`."""

    async def send(self, conn: Connection) -> ClientResponse:
        noted = _peer.get()
        peer = conn.transport.get_extra_info("peername") if conn.transport else None
        if noted is not None and peer:
            noted.append(peer[0])
        return await super().send(conn)


class watched:  # noqa: N801 - a context manager, used as a statement
    """Around one request: a timeout counts against the address that it was sent to, anything else for it."""

    def __init__(self, health: AddressHealth, connector: aiohttp.TCPConnector) -> None:
        self._health = health
        self._connector = connector
        self._sent_to: deque[str] = deque(maxlen=1)

    def __enter__(self) -> None:
        self._token = _peer.set(self._sent_to)

    def __exit__(self, _: object, fault: BaseException | None, __: object) -> None:
        _peer.reset(self._token)
        if not self._sent_to:
            return
        if not isinstance(fault, TimeoutError):
            if fault is None:
                self._health.answered(self._sent_to[0])
        elif self._health.failed(self._sent_to[0]):
            self._connector.clear_dns_cache()  # the next connection asks the resolver above
