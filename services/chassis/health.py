"""Health: alive is one thing, ready another; readiness names each dependency and asks them all at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

Check = Callable[[], Awaitable[None]]
"""Returns when the dependency works, raises when it does not."""

CHECK_TIMEOUT_S = 2.0

_log = logging.getLogger(__name__)


class Alive(msgspec.Struct, frozen=True):
    status: Literal["ok"] = "ok"


class Readiness(msgspec.Struct, frozen=True):
    """`checks` says `ok` or `down` for each dependency by its name."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, Literal["ok", "down"]]


@get("/health", public=True, operation_id="getHealth", tags=["operations"], summary="Is the process alive?")
async def alive() -> Alive:
    return Alive()


def readiness(checks: Mapping[str, Check]) -> HTTPRouteHandler:
    """The `/health/ready` handler for these dependencies."""

    @get(
        "/health/ready",
        public=True,
        operation_id="getReadiness",
        tags=["operations"],
        summary="Can it serve? Each dependency by name.",
        responses={
            503: ResponseSpec(Readiness, description="A dependency is down.", generate_examples=False)
        },
    )
    async def ready() -> Response[Readiness]:
        answers = await asyncio.gather(*(_ask(name, check) for name, check in checks.items()))
        report = dict(zip(checks, answers, strict=True))
        if "down" in answers:
            return Response(Readiness("unavailable", report), status_code=503)
        return Response(Readiness("ok", report), status_code=200)

    return ready


async def _ask(name: str, check: Check) -> Literal["ok", "down"]:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except Exception as fault:  # whatever a dependency raises, the answer is that it is down
        _log.warning("dependency is down", extra={"dependency": name, "cause": repr(fault)})
        return "down"
    return "ok"
