"""Tells the gateway's cache what has changed: tags, in the transaction of the change, by the outbox, to a Redis stream.

An answer that carries one of the tags in `Cache-Tag` is not shown any more (docs/response-cache.md). Redis down: the
messages wait, and so does the cache, which then shows nothing.
"""

from collections.abc import Iterable
from uuid import uuid4

import msgspec

from common.redis_link import RedisLink, StoreUnavailableError
from services.chassis import outbox
from services.chassis.outbox import Answer, OutboxMessage
from services.chassis.postgres import Database

TARGET = "cache"
STREAM = b"cache:tags"
KEPT = 100_000
"""Entries of the stream, about: far more than a reader that still shows anything can be behind."""


class _Tags(msgspec.Struct):
    tags: list[str]


class CacheTags:
    """`settles` is after how many seconds what a replica remembers of it has passed too; then the tags move again."""

    def __init__(self, database: Database, *, settles: float = 0.0) -> None:
        self._database = database
        self._settles = settles

    async def moved(self, tags: Iterable[str], *, remembered: bool = False) -> None:
        """Inside the transaction of the change. `remembered`: replicas remember some of it for a while."""
        body = _Tags(sorted(set(tags)))
        waits = (0.0, self._settles) if remembered and self._settles else (0.0,)
        for wait in waits:
            await outbox.put(
                self._database,
                # Their order does not matter, so that none waits for another.
                aggregate=f"tags:{uuid4()}",
                target=TARGET,
                method="POST",
                path="/tags",
                body=body,
                due_in=wait,
            )


class TagTarget:
    """Where the messages go: each is an entry of the stream."""

    batch = 64
    look_every = 0.3
    longest_delay = 2.0

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def __call__(self, message: OutboxMessage) -> tuple[Answer, str]:
        tags = ",".join(msgspec.json.decode(message.body, type=_Tags).tags)
        try:
            await self._link.command(
                b"XADD", STREAM, b"MAXLEN", b"~", KEPT, b"*", b"tags", tags.encode()
            )  # fmt: skip
        except StoreUnavailableError as fault:
            return Answer.NOT_NOW, str(fault)
        return Answer.TAKEN, ""
