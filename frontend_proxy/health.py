"""/health and /health/ready."""

import asyncio
from collections.abc import Mapping

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse
from msgspec import json
from multidict import CIMultiDict

from frontend_proxy.problems import Problem
from frontend_proxy.upstream import Upstream

DEADLINE = 2.0


def routes(upstreams: Mapping[str, Upstream]) -> list[HTTPRouteHandler]:
    """Alive: this process answers. Ready: each of `upstreams` answers too, whatever it answers."""

    @get("/health")
    async def health() -> ASGIResponse:
        return _answer(200, {"status": "ok"})

    @get("/health/ready")
    async def ready() -> ASGIResponse:
        states = dict(zip(upstreams, await asyncio.gather(*map(_state, upstreams.values())), strict=True))
        whole = all(state == "ok" for state in states.values())
        return _answer(200 if whole else 503, {"status": "ok" if whole else "unavailable", "checks": states})

    return [health, ready]


async def _state(upstream: Upstream) -> str:
    try:
        async with asyncio.timeout(DEADLINE):
            response = await upstream.send("GET", "/health", CIMultiDict())
            response.close()
    except (Problem, TimeoutError):
        return "unavailable"
    return "ok"


def _answer(status: int, document: dict[str, object]) -> ASGIResponse:
    return ASGIResponse(body=json.encode(document), status_code=status, media_type="application/json")
