"""Failures in Redis: `auth:failures:<subject>` counts, `auth:familiar:<account>:<network>` remembers since when, unless
`auth:estranged:<account>` is later."""

import math
from collections.abc import Iterable

from services.auth.domain.throttling import Subject
from services.chassis.redis import Client

_FAMILIAR_FOR = 30 * 24 * 3600


class RedisThrottle:
    """Redis down: the call raises, and nobody signs in, as no session could be stored either."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def familiar(self, account: str, network: str) -> bool:
        keys = [_familiar(account, network), _estranged(account)]
        remembered, estranged = await self._client.mget(keys)
        return remembered is not None and float(remembered) >= float(estranged or 0)

    async def remember(self, account: str, network: str, now: float) -> None:
        await self._client.set(_familiar(account, network), repr(now), ex=_FAMILIAR_FOR)

    async def estrange(self, account: str, now: float) -> None:
        # It outlives whatever a sign-in that began earlier still remembers.
        await self._client.set(_estranged(account), repr(now), ex=2 * _FAMILIAR_FOR)

    async def wait(self, subjects: Iterable[Subject], now: float) -> int:
        longest = 0.0
        for subject in subjects:
            failures, last = await self._client.hmget(_failures(subject), ["failures", "last"])
            if failures is not None and last is not None:
                longest = max(longest, subject.limit.left(int(failures), float(last), now))
        return math.ceil(longest)

    async def failed(self, subjects: Iterable[Subject], now: float) -> None:
        # One key each: they may be on different nodes.
        for subject in subjects:
            async with self._client.pipeline(transaction=True) as pipeline:
                pipeline.hincrby(_failures(subject), "failures", 1)
                pipeline.hset(_failures(subject), {"last": repr(now)})
                pipeline.expire(_failures(subject), subject.limit.window)

    async def forget(self, subjects: Iterable[Subject]) -> None:
        await self._client.delete([_failures(subject) for subject in subjects])


def _failures(subject: Subject) -> str:
    return f"auth:failures:{subject.key}"


def _familiar(account: str, network: str) -> str:
    return f"auth:familiar:{account}:{network}"


def _estranged(account: str) -> str:
    return f"auth:estranged:{account}"
