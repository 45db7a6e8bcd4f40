"""Puts a handler behind the records, by one line above its signature."""

import functools
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from litestar import Request, Response
from litestar.serialization import encode_json

from services.chassis.idempotency import keys
from services.chassis.idempotency.fingerprint import fingerprint
from services.chassis.idempotency.records import Outcome, Records
from services.chassis.identity import Identity
from services.chassis.rounds import rounds

_log = logging.getLogger(__name__)

STATE = "idempotency"
SWEEP_INTERVAL_S = 60.0
SWEEP_BATCH = 500

Handler = Callable[..., Awaitable[Response[Any]]]
T = TypeVar("T")


class Idempotency:
    """A service's records, with their sweeping. `secret`: the fingerprints' key, where bodies hold secrets."""

    def __init__(self, records: Records, *, secret: bytes = b"") -> None:
        self._records = records
        self._secret = secret

    @staticmethod
    def of(request: Request[Any, Any, Any]) -> "Idempotency":
        """The service's, which its app.py gives to the app's state."""
        idempotency: Idempotency = getattr(request.app.state, STATE)
        return idempotency

    async def keyed(self, request: Request[Any, Any, Any], caller: str) -> "Keyed | None":
        """The request under its key; None where it has none. Callers never share a key's scope, so that nobody is
        given another's answer. Raises MalformedKey."""
        key = keys.find(request.scope["headers"])  # type: ignore[arg-type]
        if key is None:
            return None
        path = request.scope["path"]
        print_ = fingerprint(
            request.method,
            path,
            request.scope["query_string"],
            request.headers.get("content-type", ""),
            await request.body(),
            secret=self._secret,
        )
        return Keyed(self._records, f"{caller} {request.method} {path}", key, print_)

    async def once(
        self,
        request: Request[Any, Any, Any],
        caller: str,
        prepare: Callable[[], Awaitable[T]],
        effect: Callable[[T], Awaitable[Response[Any]]],
    ) -> Response[Any]:
        """`effect` of what `prepare` gives, once for each key, for a handler with much to do before its effect: that is
        done outside of the record's transaction, in which no connection to the database waits for it.

        Raises MalformedKey, KeyReused, InProgress.
        """
        keyed = await self.keyed(request, caller)
        if keyed is not None and (answered := await keyed.answer()) is not None:
            return answered
        act = functools.partial(effect, await prepare())
        return await (act() if keyed is None else keyed.once(act))

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        return rounds("idempotency sweep", self._round, every=SWEEP_INTERVAL_S)

    async def _round(self) -> bool:
        return await self._records.sweep(SWEEP_BATCH) == SWEEP_BATCH


class Keyed:
    """One request with a key."""

    def __init__(self, records: Records, scope: str, key: str, fingerprint: bytes) -> None:
        self._records = records
        self._scope = scope
        self._key = key
        self._fingerprint = fingerprint

    async def answer(self) -> Response[Any] | None:
        """What the request was answered, if it was: for handlers with much to do before their effect.

        Raises KeyReused.
        """
        outcome = await self._records.outcome(self._scope, self._key, self._fingerprint)
        return None if outcome is None else _response(outcome, replayed=True)

    async def once(self, effect: Callable[[], Awaitable[Response[Any]]]) -> Response[Any]:
        """The answer of `effect`, or of the earlier request, in whose place it does not run.

        All that it does to the database is in the record's transaction. Where it raises there is no effect and no
        record: the key is free for another attempt. Raises KeyReused, InProgress.
        """
        async with self._records.reserve(self._scope, self._key, self._fingerprint) as reservation:
            if reservation.outcome is not None:
                return _response(reservation.outcome, replayed=True)
            outcome = _outcome(await effect())
            await reservation.complete(outcome)
        return _response(outcome, replayed=False)


def idempotent(handler: Handler) -> Handler:
    """A request with a key takes effect once; repeats get the first answer, marked `Idempotent-Replayed: true`.

    The handler takes `request` and returns a Response; it is the effect of `Keyed.once`.
    """

    @functools.wraps(handler)
    async def once(*args: Any, **kwargs: Any) -> Response[Any]:
        request: Request[Any, Any, Any] = kwargs["request"]
        idempotency = Idempotency.of(request)
        identity = request.scope.get("user")
        caller = str(identity.subject) if isinstance(identity, Identity) else "internal"
        keyed = await idempotency.keyed(request, caller)
        effect = functools.partial(handler, *args, **kwargs)
        return await (effect() if keyed is None else keyed.once(effect))

    return once


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
