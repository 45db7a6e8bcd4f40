"""Puts a handler behind the records, by one line above its signature."""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from litestar import Request, Response
from litestar.serialization import encode_json

from services.chassis.errors import Problem
from services.chassis.idempotency import keys
from services.chassis.idempotency.fingerprint import fingerprint
from services.chassis.idempotency.records import Outcome, Records
from services.chassis.identity import Identity

_log = logging.getLogger(__name__)

STATE = "idempotency"
SWEEP_INTERVAL_S = 60.0
SWEEP_BATCH = 500

Handler = Callable[..., Awaitable[Response[Any]]]


class Idempotency:
    """A service's records, with their sweeping."""

    def __init__(self, records: Records) -> None:
        self.records = records

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._sweep(), name="idempotency sweep")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _sweep(self) -> None:
        while True:
            swept = 0
            try:
                swept = await self.records.sweep(SWEEP_BATCH)
            except Problem as fault:
                _log.warning("expired keys were not swept", extra={"cause": fault.detail})
            except Exception:
                # Whatever it is, the next sweep may do better; without any, the table grows for ever.
                _log.exception("expired keys were not swept")
            await asyncio.sleep(0 if swept == SWEEP_BATCH else SWEEP_INTERVAL_S)


def idempotent(handler: Handler) -> Handler:
    """A request with a key takes effect once; repeats get the first answer, marked `Idempotent-Replayed: true`.

    The handler takes `request` and returns a Response. All that it does to the database is in the record's
    transaction. A handler that raises leaves no effect and no record: the key is free for another attempt.
    """

    @functools.wraps(handler)
    async def once(*args: Any, **kwargs: Any) -> Response[Any]:
        request: Request[Any, Any, Any] = kwargs["request"]
        key = keys.find(request.scope["headers"])  # type: ignore[arg-type]
        if key is None:
            return await handler(*args, **kwargs)
        idempotency: Idempotency = getattr(request.app.state, STATE)
        print_ = fingerprint(
            request.method,
            request.scope["path"],
            request.scope["query_string"],
            request.headers.get("content-type", ""),
            await request.body(),
        )
        async with idempotency.records.reserve(_scope(request), key, print_) as reservation:
            if reservation.outcome is not None:
                return _response(reservation.outcome, replayed=True)
            outcome = _outcome(await handler(*args, **kwargs))
            await reservation.complete(outcome)
        return _response(outcome, replayed=False)

    return once


def _scope(request: Request[Any, Any, Any]) -> str:
    """Callers never share a scope, so that nobody is given another's answer."""
    identity = request.scope.get("user")
    caller = str(identity.subject) if isinstance(identity, Identity) else "internal"
    return f"{caller} {request.method} {request.scope['path']}"


def _outcome(response: Response[Any]) -> Outcome:
    body = b"" if response.content is None else encode_json(response.content)
    return Outcome(response.status_code or 200, dict(response.headers), body)


def _response(outcome: Outcome, *, replayed: bool) -> Response[Any]:
    headers = dict(outcome.headers)
    if replayed:
        headers |= {"Idempotent-Replayed": "true", "X-Idempotency-Replayed": "true"}
    if not outcome.body:
        return Response(None, status_code=outcome.status, headers=headers)
    return Response(outcome.body, status_code=outcome.status, headers=headers, media_type="application/json")
