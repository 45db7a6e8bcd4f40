"""Keeps the revocation log in Redis true to PostgreSQL, in every process of auth.

A log without the mark of the Redis process that it is in is rebuilt: every session that an access token could still
name and that has ended. The process is asked for its name before PostgreSQL is read. So whatever an earlier process
lost is in what is read, since it ended there before it was told; and where Redis dies in between, the mark is of the
dead one and nobody believes it. What ends meanwhile is told by whoever ends it. Several may rebuild at once: what is in
the log twice counts once.

Between a commit and the telling auth may die, or Redis be down: what nobody has written down as told is told again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.auth.adapters.links_postgres import PostgresLinks
from services.auth.adapters.revocations_redis import RedisRevocations
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.auth.application.ports import Clock
from services.auth.domain.sessions import Lifetimes

_log = logging.getLogger(__name__)

LOOK_EVERY = 0.25
"""Seconds: so much longer a restart of Redis lasts for whoever needs the log."""
TELLING_TAKES = 2.0
"""Seconds after which an end that nobody wrote down as told is told again; it is looked for twice as often."""
AT_ONCE = 1000
SWEEP_EVERY = 60.0


class RevocationKeeping:
    def __init__(
        self,
        sessions: PostgresSessions,
        links: PostgresLinks,
        revocations: RedisRevocations,
        lifetimes: Lifetimes,
        *,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._links = links
        self._revocations = revocations
        self._lifetimes = lifetimes
        self._clock = clock
        self._sought = self._swept = 0.0
        self._well = True

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        keeping = asyncio.create_task(self._keep(), name="revocation keeping")
        try:
            yield
        finally:
            # Again and again: what waits for PostgreSQL or Redis may lose one cancellation (python/cpython#86296).
            while not keeping.done():
                keeping.cancel()
                await asyncio.wait({keeping}, timeout=LOOK_EVERY)

    async def look(self) -> None:
        """One round."""
        process = await self._revocations.process()
        if await self._revocations.whole_in() != process:
            await self._rebuild(process)
        await self._write_down()
        now = self._clock()
        if now - self._sought > TELLING_TAKES / 2:
            self._sought = now
            await self._revocations.append(await self._sessions.untold(now - TELLING_TAKES, AT_ONCE))
        if now - self._swept > SWEEP_EVERY:
            self._swept = now
            while await self._sessions.sweep(now, AT_ONCE) == AT_ONCE:
                pass
            while await self._links.sweep(AT_ONCE) == AT_ONCE:
                pass

    async def _rebuild(self, process: bytes) -> None:
        ended = await self._sessions.ended_since(self._lifetimes.forgotten_before(self._clock()))
        await self._revocations.append(ended)
        await self._revocations.mark(process)
        _log.warning("the revocation log was rebuilt", extra={"sessions": len(ended)})

    async def _write_down(self) -> None:
        told = list(self._revocations.told)
        if told:
            await self._sessions.mark_told(told)
            self._revocations.told.difference_update(told)

    async def _keep(self) -> None:
        while True:
            try:
                await self.look()
                self._well = True
            except Exception as fault:
                # Whatever it is, the next look may do better; without any, a restart of Redis would last for ever.
                if self._well:
                    _log.warning("the revocation log is not kept", extra={"cause": repr(fault)})
                self._well = False
            await asyncio.sleep(LOOK_EVERY)
