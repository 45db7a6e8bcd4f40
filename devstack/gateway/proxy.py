"""One request from the client's line to the answer's last byte: Kong's phases in Kong's order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiohttp.web_exceptions import HTTPException

from devstack.gateway import access_log, admission, advertised, paths
from devstack.gateway.chain import Chains
from devstack.gateway.exchange import Answer, Exchange, Exit, Source
from devstack.gateway.headers import Headers
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.plugins import Attachment
from devstack.gateway.router import Router
from devstack.gateway.upstream import Upstream, UpstreamError, sendable

_WITHOUT_BODY = {204, 304}


@dataclass(frozen=True)
class Limits:
    """`body` in bytes; 0 is without limit."""

    body: int
    underscores: bool


class Proxy:
    def __init__(
        self,
        *,
        router: Router,
        chains: Chains,
        upstream: Upstream,
        own: OwnAnswers,
        limits: Limits,
        headers: frozenset[str],
    ) -> None:
        self._router = router
        self._chains = chains
        self._upstream = upstream
        self._own = own
        self._limits = limits
        self._headers = headers

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """An aiohttp handler."""
        exchange = self._exchange(request)
        chain = self._chains.for_route(None)
        response: aiohttp.ClientResponse | None = None
        try:
            try:
                await self._read_body(request, exchange)
                for plugin in chain:
                    plugin.rewrite(exchange)
                chain = self._route(exchange)
                for plugin in chain:
                    await plugin.access(exchange)
                exchange.answer, response = await self._upstream.send(exchange)
                if any(plugin.needs_whole_response for plugin in chain):
                    exchange.answer.body = await _whole(response)
                    for plugin in chain:
                        await plugin.response(exchange)
            except Exit as exit_:
                exchange.answer = exit_.answer
            except UpstreamError as error:
                print(f"{exchange.id} {error}", flush=True)
                exchange.answer = self._own.failed(exchange, error.status)
                exchange.upstream_latency = exchange.upstream_latency or 0.0
            except (HTTPException, asyncio.CancelledError):
                raise
            except Exception as error:
                print(f"{exchange.id} {error!r}", flush=True)
                exchange.answer = self._own.failed(exchange, 500)
            return await self._send(request, exchange, exchange.answer, chain, response)
        finally:
            if response is not None:
                response.release()
            access_log.write(exchange)

    def _exchange(self, request: web.BaseRequest) -> Exchange:
        headers = Headers(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers
        )
        target = request.raw_path
        if target.startswith(("http://", "https://")):  # absolute form (RFC 9112 §3.2.2)
            target = "/" + target.split("//", 1)[1].partition("/")[2]
        path, mark, query = target.partition("?")
        transport = request.transport
        peer = transport.get_extra_info("peername") if transport else None
        own = transport.get_extra_info("sockname") if transport else None
        return Exchange(
            method=request.method,
            target=target,
            path=paths.normalized(path),
            query=query if mark else None,
            version=request.version.major + request.version.minor / 10,
            headers=headers if self._limits.underscores else admission.without_underscores(headers),
            body=b"",
            client=(peer[0], peer[1]) if peer else ("", 0),
            port=own[1] if own else 0,
        )

    async def _read_body(self, request: web.BaseRequest, exchange: Exchange) -> None:
        """The whole of it, as nginx buffers it. Raises Exit for what nginx refuses."""
        if admission.malformed(exchange.headers):
            raise Exit(self._own.failed(exchange, 400))
        pieces = bytearray()
        async for piece in request.content.iter_any():
            pieces += piece
            if self._limits.body and len(pieces) > self._limits.body:
                raise Exit(self._own.failed(exchange, 413))
        exchange.body = bytes(pieces)

    def _route(self, exchange: Exchange) -> tuple[Attachment, ...]:
        """Raises Exit without a route."""
        match = self._router.match(
            exchange.method, exchange.host, exchange.port, exchange.path, exchange.headers
        )
        if match is None:
            raise Exit(self._own.refused(exchange, 404, "no Route matched with those values"))
        exchange.match = match
        exchange.upstream_path = paths.upstream_path(exchange.path, match.route.service.path, match.stripped)
        return self._chains.for_route(match.route)

    async def _send(
        self,
        request: web.BaseRequest,
        exchange: Exchange,
        answer: Answer,
        chain: tuple[Attachment, ...],
        response: aiohttp.ClientResponse | None,
    ) -> web.StreamResponse:
        proxied = exchange.upstream_latency is not None
        for plugin in chain:
            plugin.header_filter(exchange)
        advertised.advertise(exchange, answer, proxied, self._headers)
        if answer.body is not None:
            for plugin in chain:
                plugin.body_filter(exchange)

        outgoing = web.StreamResponse(status=answer.status, reason=_reason(answer))
        for name, value in answer.headers:
            outgoing.headers.add(name, sendable(value))
        closes = "close" in (exchange.headers.joined("Connection") or "").lower()
        outgoing.headers["Connection"] = "close" if closes else "keep-alive"
        if closes:
            outgoing.force_close()
        has_body = request.method != "HEAD" and answer.status not in _WITHOUT_BODY
        if has_body and answer.body is not None:
            outgoing.content_length = len(answer.body)
        elif has_body and "Content-Length" not in outgoing.headers:
            outgoing.enable_chunked_encoding()
        await outgoing.prepare(request)
        if has_body and answer.body is not None:
            await outgoing.write(answer.body)
        elif has_body and response is not None:
            async for piece in response.content.iter_any():
                await outgoing.write(piece)
        await outgoing.write_eof()
        return outgoing


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """Raises UpstreamError for an answer that is cut short."""
    try:
        return await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UpstreamError(502, f"the upstream's answer is cut short: {error!r}") from error


def _reason(answer: Answer) -> str | None:
    if answer.status == 413:
        return "Request Entity Too Large"  # nginx's name for it
    return answer.reason if answer.source is Source.SERVICE else None
