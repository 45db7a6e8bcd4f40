"""The revocation log in Redis: a stream that is a copy of what PostgreSQL has, and the mark that it is whole.

The mark names the Redis process (its `run_id`) that the log was rebuilt in. A Redis that was restarted, whatever it
lost or kept, and a replica that took over are other processes: whoever reads the log does not believe it before auth
has rebuilt it there and marked it (revocation_keeping.py). Redis down: the call raises, the caller gets a 503, and
what ended is told as soon as Redis is back.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any
from uuid import UUID

from common.access_tokens.revocations import mark_key, run_id
from services.auth.application.ports import Ended
from services.auth.domain.sessions import Lifetimes
from services.chassis.redis import Redis

STREAM = "auth:revocations"
_AT_ONCE = 500
# By the key, so that in a cluster the node answers that has the log.
_DESCRIBE = "return redis.call('INFO', 'server')"


class RedisRevocations:
    """`told`: sessions that the log has by now; whoever writes that down empties it."""

    def __init__(self, redis: Redis, lifetimes: Lifetimes) -> None:
        self._client = redis.client
        self._mark = mark_key(STREAM, cluster=redis.cluster)
        self._lifetimes = lifetimes
        script = files("services.auth.adapters").joinpath("scripts", "tell.lua")
        self._append = redis.client.register_script(script.read_text("utf-8"))
        self._describe = redis.client.register_script(_DESCRIBE)
        self.told: set[UUID] = set()

    async def tell(self, ended: Ended, now: float) -> None:
        await self.append([(session, now) for session in ended.sessions])

    async def append(self, sessions: Sequence[tuple[UUID, float]]) -> None:
        """Each with the moment of its end; one that the log has already does no harm."""
        for first in range(0, len(sessions), _AT_ONCE):
            some = sessions[first : first + _AT_ONCE]
            entries = [(str(id_), str(self._lifetimes.revoked_until(moment))) for id_, moment in some]
            await self._append([STREAM], [text for entry in entries for text in entry])
            self.told.update(id_ for id_, _ in some)

    async def process(self) -> bytes:
        """Which Redis process this is. Raises ValueError where it does not say."""
        answer: Any = await self._describe([STREAM], [])
        name = run_id(answer if isinstance(answer, bytes) else str(answer).encode())
        if not name:
            raise ValueError("Redis does not name its process: its INFO has no run_id")
        return name

    async def whole_in(self) -> bytes | None:
        """The process that the log was last marked in."""
        found: Any = await self._client.get(self._mark)
        return None if found is None else _text(found).encode()

    async def mark(self, process: bytes) -> None:
        await self._client.set(self._mark, process)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
