"""Tells the gateway's cache what has changed: tags, in the transaction of the change, by the outbox, to a Redis stream.

An answer that carries one of the tags in `Cache-Tag` is not shown any more (docs/response-cache.md). Redis down: the
messages wait, and so does the cache, which then shows nothing.

Whoever made the change names its tags as soon as it has committed, without reading them back. The outbox does it for
those that this did not reach: the process was killed, Redis was down, or too many were under way.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec

from common.redis_link import RedisLink, StoreUnavailableError
from services.chassis import outbox
from services.chassis.outbox import Answer, OutboxMessage, OutboxStore
from services.chassis.postgres import Database

_log = logging.getLogger(__name__)

TARGET = "cache"
STREAM = b"cache:tags"
KEPT = 100_000
"""Entries of the stream, about: far more than a reader that still shows anything can be behind."""
HEAD_START_S = 0.5
"""After which the outbox names the tags of a change, unless the process that made it has."""
MOST_AT_ONCE = 64
"""Changes whose tags a process names by itself at a time; those of others are left to the outbox."""


class _Tags(msgspec.Struct):
    tags: list[str]


class AtOnce:
    """Names the tags of what this process has committed."""

    def __init__(self, database: Database, link: RedisLink) -> None:
        self._store = OutboxStore(database)
        self._link = link
        self._under_way: set[asyncio.Task[None]] = set()
        self._named: list[int] = []
        self._news = asyncio.Event()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        forgetting = asyncio.create_task(self._forget(), name="tags that were named")
        try:
            yield
        finally:
            tasks = {forgetting, *self._under_way}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def name(self, message: int, tags: list[str]) -> None:
        """`message` is the outbox's number for them."""
        if len(self._under_way) + len(self._named) < MOST_AT_ONCE:
            task = asyncio.create_task(self._name(message, tags))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _name(self, message: int, tags: list[str]) -> None:
        try:
            await _add(self._link, tags)
        except StoreUnavailableError:
            return  # the outbox goes on trying
        self._named.append(message)
        self._news.set()

    async def _forget(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            named, self._named = self._named, []
            try:
                await self._store.forget(named)
            except Exception:
                # The outbox names them again, which does no harm.
                _log.exception("tags that were named stay in the outbox")


class CacheTags:
    """`settles` is after how many seconds what a replica remembers of it has passed too; then the tags move again.

    Without `at_once` the outbox alone names them.
    """

    def __init__(self, database: Database, *, settles: float = 0.0, at_once: AtOnce | None = None) -> None:
        self._database = database
        self._settles = settles
        self._at_once = at_once

    async def moved(self, tags: Iterable[str], *, remembered: bool = False) -> None:
        """Inside the transaction of the change. `remembered`: replicas remember some of it for a while."""
        body = _Tags(sorted(set(tags)))
        at_once = self._at_once
        message = await self._put(body, HEAD_START_S if at_once is not None else 0.0)
        if at_once is not None and message is not None:
            self._database.after_commit(lambda: at_once.name(message, body.tags))
        if remembered and self._settles:
            await self._put(body, self._settles)

    async def _put(self, body: _Tags, due_in: float) -> int | None:
        return await outbox.put(
            self._database,
            # Their order does not matter, so that none waits for another.
            aggregate=f"tags:{uuid4()}",
            target=TARGET,
            method="POST",
            path="/tags",
            body=body,
            due_in=due_in,
        )


class TagTarget:
    """Where the messages go: each is an entry of the stream."""

    batch = 64
    look_every = 0.3
    longest_delay = 2.0

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def __call__(self, message: OutboxMessage) -> tuple[Answer, str]:
        try:
            await _add(self._link, msgspec.json.decode(message.body, type=_Tags).tags)
        except StoreUnavailableError as fault:
            return Answer.NOT_NOW, str(fault)
        return Answer.TAKEN, ""


async def _add(link: RedisLink, tags: list[str]) -> None:
    await link.command(b"XADD", STREAM, b"MAXLEN", b"~", KEPT, b"*", b"tags", ",".join(tags).encode())
