"""One request from the client's line to the answer's last byte: Kong's phases in Kong's order."""

from __future__ import annotations

import asyncio
import http.client
from dataclasses import dataclass

import aiohttp

from devstack.gateway import access_log, admission, advertised, paths
from devstack.gateway.chain import Chains
from devstack.gateway.exchange import Answer, Exchange, Exit, Source
from devstack.gateway.listener import Incoming
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.plugins import Attachment
from devstack.gateway.request_reading import Refused
from devstack.gateway.router import Router
from devstack.gateway.upstream import Upstream, UpstreamError

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

    async def handle(self, request: Incoming) -> None:
        """Answers one request. Raises ConnectionError where the client goes away."""
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
            except (ConnectionError, asyncio.CancelledError):
                raise
            except Exception as error:
                print(f"{exchange.id} {error!r}", flush=True)
                exchange.answer = self._own.failed(exchange, 500)
            await self._send(request, exchange, exchange.answer, chain, response)
        finally:
            if response is not None:
                response.release()
            access_log.write(exchange)
            for plugin in chain:
                plugin.log(exchange)

    def _exchange(self, request: Incoming) -> Exchange:
        head = request.head
        path, mark, query = head.target.partition("?")
        return Exchange(
            method=head.method,
            target=head.target,
            path=paths.normalized(path) if path else "",
            query=query if mark else None,
            version=head.version[0] + head.version[1] / 10,
            headers=head.headers if self._limits.underscores else admission.without_underscores(head.headers),
            body=b"",
            client=request.client,
            port=request.port,
        )

    async def _read_body(self, request: Incoming, exchange: Exchange) -> None:
        """The whole of it, as nginx buffers it. Raises Exit for what nginx refuses."""
        if request.fault:
            raise Exit(self._own.failed(exchange, request.fault))
        try:
            exchange.body = await request.body(self._limits.body)
        except Refused as refused:
            raise Exit(self._own.failed(exchange, refused.status)) from None

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
        request: Incoming,
        exchange: Exchange,
        answer: Answer,
        chain: tuple[Attachment, ...],
        response: aiohttp.ClientResponse | None,
    ) -> None:
        proxied = exchange.upstream_latency is not None
        for plugin in chain:
            plugin.header_filter(exchange)
        advertised.advertise(exchange, answer, proxied, self._headers)
        if answer.body is not None:
            for plugin in chain:
                plugin.body_filter(exchange)
        has_body = request.head.method != "HEAD" and answer.status not in _WITHOUT_BODY
        if has_body and answer.body is not None:
            answer.headers.set("Content-Length", str(len(answer.body)))
        await request.begin(answer.status, _reason(answer), answer.headers, has_body=has_body)
        if has_body and answer.body is not None:
            await request.send(answer.body)
            exchange.sent_bytes = len(answer.body)
        elif has_body and response is not None:
            await _stream(response, request, exchange)
        if has_body:
            await request.end()


async def _stream(response: aiohttp.ClientResponse, request: Incoming, exchange: Exchange) -> None:
    """Raises ConnectionError where the upstream breaks off: so does the client's answer."""
    try:
        async for piece in response.content.iter_any():
            await request.send(piece)
            exchange.sent_bytes += len(piece)
    except (aiohttp.ClientError, TimeoutError) as error:
        response.close()
        raise ConnectionAbortedError("the upstream broke off") from error


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """Raises UpstreamError for an answer that is cut short."""
    try:
        return await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UpstreamError(502, f"the upstream's answer is cut short: {error!r}") from error


def _reason(answer: Answer) -> str:
    if answer.status == 413:
        return "Request Entity Too Large"  # nginx's name for it
    if answer.source is Source.SERVICE and answer.reason is not None:
        return answer.reason
    return http.client.responses.get(answer.status, "")
