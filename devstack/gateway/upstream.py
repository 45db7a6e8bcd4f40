"""The request to the upstream: Kong's headers on it, its retries, its deadlines."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from typing import Protocol

import aiohttp
import aiohttp.client_reqrep
from multidict import CIMultiDict
from yarl import URL

from common import header_bytes
from devstack.gateway import exact_headers, paths
from devstack.gateway.entities import Service
from devstack.gateway.exchange import Answer, Exchange, Source
from devstack.gateway.headers import Headers

exact_headers.install(aiohttp.client_reqrep)

VIA = "1.1 kong/3.9.3"
# Never forwarded: they belong to one connection (RFC 9110 §7.6.1), or nginx sets them anew.
_REQUEST_HOP = {"connection", "keep-alive", "te", "transfer-encoding", "upgrade", "host", "content-length"}
_REQUEST_HOP |= {"expect", "proxy", "proxy-connection"}
_RESPONSE_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "trailer"}
# Kong repeats these after any failure, others only if no connection came about (nginx's proxy_next_upstream).
_REPEATABLE = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}


class UpstreamError(Exception):
    """No answer came; `status` is what the client gets."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Body(Protocol):
    """What is still to come of an upstream's answer."""

    def iter_any(self) -> aiohttp.streams.AsyncStreamIterator[bytes]: ...


class Upstream:
    """One pool of connections for all services."""

    def __init__(
        self, session: aiohttp.ClientSession, targets: Mapping[str, list[str]], largest_head: int
    ) -> None:
        """`targets`: by the host that a service names, what to balance over. Their health is not watched.

        `largest_head` in bytes: nginx reads the head of an answer into one buffer.
        """
        self._session = session
        self._largest_head = largest_head
        self._targets = {host: itertools.cycle(several) for host, several in targets.items() if several}

    async def send(self, exchange: Exchange) -> tuple[Answer, aiohttp.ClientResponse]:
        """The answer without its body. Raises UpstreamError (502, 504)."""
        if exchange.match is None:
            raise UpstreamError(500, "there is no route")
        service = exchange.match.route.service
        began = time.monotonic()
        for attempt in range(service.retries + 1):
            try:
                response = await self._send_once(exchange, service)
                break
            except ValueError as error:
                # aiohttp sends no control characters. nginx passes them on, and every service here refuses them so.
                raise UpstreamError(400, f"{service.name}: {error!r}") from error
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                unconnected = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
                again = unconnected or exchange.method in _REPEATABLE
                if not again or attempt == service.retries:
                    late = isinstance(error, TimeoutError)
                    raise UpstreamError(504 if late else 502, f"{service.name}: {error!r}") from error
        exchange.upstream_latency = time.monotonic() - began
        if _head_size(response) > self._largest_head:
            response.close()
            raise UpstreamError(502, f"{service.name}: the head of its answer is too big")
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers]
        named = _named_by_connection(Headers(fields))
        headers = Headers(field for field in fields if field[0].lower() not in _RESPONSE_HOP | named)
        return Answer(response.status, headers, None, Source.SERVICE, response.reason), response

    def _address(self, service: Service) -> str:
        several = self._targets.get(service.host)
        return next(several) if several else f"{service.host}:{service.port}"

    async def _send_once(self, exchange: Exchange, service: Service) -> aiohttp.ClientResponse:
        timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=service.connect_timeout / 1000,
            sock_read=service.read_timeout / 1000,
        )
        return await asyncio.shield(
            self._session.request(
                exchange.method,
                # Built of its parts: a fragment that a client sent stays in the path, as with nginx.
                URL.build(
                    scheme=service.protocol,
                    authority=exchange.sent_to or self._address(service),
                    path=paths.escaped(exchange.upstream_path),
                    query_string=(exchange.query or "").partition("#")[0],
                    encoded=True,
                ),
                headers=_as_sent(_forwarded(exchange, service)),
                data=exchange.body if exchange.body else None,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                allow_redirects=False,
                timeout=timeout,
            )
        )


def _head_size(response: aiohttp.ClientResponse) -> int:
    """Bytes up to the empty line, which they include."""
    line = len("HTTP/1.1 200 \r\n") + len(response.reason or "")
    return line + sum(len(name) + len(value) + 4 for name, value in response.raw_headers) + 2


def _forwarded(exchange: Exchange, service: Service) -> Headers:
    """The headers that the upstream gets."""
    came = exchange.headers
    dropped = _REQUEST_HOP | _named_by_connection(came)
    headers = Headers(field for field in came if field[0].lower() not in dropped)
    match = exchange.match
    preserved = match is not None and match.route.preserve_host
    own_host = f"{service.host}:{service.port}" if service.port not in (80, 443) else service.host
    headers.set("Host", (came.get("Host") or own_host) if preserved else own_host)
    # Kong passes this one on to whatever upstream, asked for in `Connection` or not, and with it the question where the
    # body ends.
    if (came.get("Upgrade") or "").lower() == "websocket":
        headers.set("Connection", "keep-alive, Upgrade")
        headers.set("Upgrade", "websocket")
    else:
        headers.set("Connection", "keep-alive")
    if "trailers" in (came.joined("TE") or "").lower():
        headers.set("TE", "trailers")
    headers.set("Via", ", ".join([*came.get_all("Via"), VIA]))
    peer = exchange.client[0]
    headers.set("X-Forwarded-For", ", ".join([*came.get_all("X-Forwarded-For"), peer]))
    headers.set("X-Forwarded-Proto", "http")
    headers.set("X-Forwarded-Host", exchange.host)
    headers.set("X-Forwarded-Port", str(exchange.port))
    headers.set("X-Forwarded-Path", exchange.target.split("?", 1)[0])
    headers.remove("X-Forwarded-Prefix")
    if match is not None and match.stripped not in (None, "/"):
        headers.set("X-Forwarded-Prefix", str(match.stripped))
    headers.set("X-Real-IP", peer)
    headers.set("X-Kong-Request-Id", exchange.id)
    if exchange.body or came.get("Content-Length") is not None:
        headers.set("Content-Length", str(len(exchange.body)))
    return headers


def _as_sent(headers: Headers) -> CIMultiDict[str]:
    """Repeated fields in one spelling: aiohttp takes another one for a replacement."""
    spelling: dict[str, str] = {}
    return CIMultiDict((spelling.setdefault(name.lower(), name), sendable(value)) for name, value in headers)


def _named_by_connection(headers: Headers) -> set[str]:
    """The headers that a Connection header makes hop-by-hop."""
    return {name.strip().lower() for name in (headers.joined("Connection") or "").split(",")} - {"close"}


def sendable(value: str) -> str:
    """What came in as bytes, which the stand-in holds as Latin-1, as the text that aiohttp writes as the same bytes."""
    return header_bytes.sendable(value.encode("latin-1"))
