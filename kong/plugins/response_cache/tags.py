"""Which tags have moved, and when: known without asking Redis on each request.

A service names the tags of what it changed in a Redis stream, from the transaction of the change (through its outbox).
An answer remembers how far the stream was known before upstream was asked (`as_of`); it may be shown while none of its
tags has moved since. So an answer that was read before a change and stored after it is never shown.

Redis down, silent or refusing writes (full): nothing is known, and the cache is off. What may have been missed (another
process of Redis, a stream that was cut or emptied) makes everything before it unknown, which is the same as moved.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import Any, Self

import msgspec

from common.redis_link import RedisLink, StoreUnavailableError
from kong.plugins.runtime import metrics

log = logging.getLogger(__name__)

ALL = "*"
"""The tag of every answer."""
READ_AT_ONCE = 1000
LONGEST_BLOCK_MS = 400
RETRY = 0.1
MOST_TAGS = 100_000
"""Remembered; beyond it all is forgotten at once, and so every answer."""

Position = tuple[int, int]
"""A place in the stream: milliseconds and number, as Redis gives them."""
START: Position = (0, 0)

PROPAGATION = metrics.histogram(
    "response_cache_propagation_seconds",
    "Time from a tag's move, as Redis has it, until this process knows of it.",
)

FOLLOWING = metrics.gauge("response_cache_following", "Processes that know what Redis had a moment ago.")
BEHIND = metrics.gauge(
    "response_cache_behind_seconds",
    "From the last move that is known to the newest one, rounded up, when the stream was looked at last.",
)


class TagSource(msgspec.Struct, frozen=True):
    """After `silence` seconds without a word Redis counts as down."""

    redis_url: str
    stream: str
    silence: float


class AsOf(msgspec.Struct, frozen=True):
    """How much of the stream was known, in which process of Redis: comparable everywhere."""

    process: str
    position: Position


class Moves:
    """When each tag moved last. Nothing is known of what was before `floor`, or of another process of Redis."""

    def __init__(self) -> None:
        self.now = AsOf("", START)
        self.floor = START
        self._moved: dict[str, Position] = {}

    def learn(self, position: Position, tags: Iterable[str]) -> None:
        for tag in tags:
            self._moved[tag] = position
        self.now = AsOf(self.now.process, position)
        if ALL in self._moved or len(self._moved) > MOST_TAGS:
            self.forget(self.now)

    def forget(self, now: AsOf) -> None:
        """What was read before `now` stands no longer."""
        self._moved.clear()
        self.now = now
        self.floor = now.position

    def stand(self, tags: Iterable[str], as_of: AsOf) -> bool:
        """Whether none of the tags has moved since `as_of`."""
        moved = self._moved
        return (
            as_of.process == self.now.process
            and as_of.position >= self.floor
            and all(moved.get(tag, START) <= as_of.position for tag in tags)
        )


class TagWatch:
    """Follows the stream in the background."""

    def __init__(self, source: TagSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.moves = Moves()
        self._source = source
        self._stream = source.stream.encode()
        self._writable = b"cache:writable:{%s}" % self._stream  # where the stream is, in a cluster too
        self._monotonic = monotonic
        self._block = min(LONGEST_BLOCK_MS, round(source.silence * 250))
        self._heard: float | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow(), name="tag-watch")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._lost()

    def current(self) -> bool:
        """Whether all that Redis had a moment ago (`silence`) is known."""
        return self._heard is not None and self._monotonic() - self._heard < self._source.silence

    async def _follow(self) -> None:
        async with RedisLink(self._source.redis_url, self._source.silence, "response-cache") as link:
            while True:
                try:
                    await self._read_on(link)
                except StoreUnavailableError:
                    self._lost()
                except Exception:
                    # A watch that ended here would leave the cache off until somebody restarts it.
                    log.exception("the tags' stream could not be read")
                    self._lost()
                await asyncio.sleep(RETRY)

    async def _read_on(self, link: RedisLink) -> None:
        """Finds where the stream is, then follows it until the connection is another."""
        process = _process(await link.command(b"INFO", b"server", near=self._stream))
        connection = link.connection_number
        if process != self.moves.now.process or await self._cut(link, self.moves.now.position):
            await self._begin_anew(link, process)
        while link.connection_number == connection:
            # The first reading of a connection is what there is; the next ones wait for more.
            wait: tuple[bytes | int, ...] = (b"BLOCK", self._block) if self._heard is not None else ()
            known = self.moves.now.position
            reply = await link.command(
                b"XREAD", *wait, b"COUNT", READ_AT_ONCE, b"STREAMS", self._stream, b"%d-%d" % known, near=self._stream,
            )  # fmt: skip
            if link.connection_number != connection:
                break
            entries = _entries(reply)
            self._learn(entries)
            if await self._cut(link, known):
                await self._begin_anew(link, process)
            if not entries or self._heard is not None:
                self._heard = self._monotonic()
                FOLLOWING.set(1)
        self._lost()

    def _lost(self) -> None:
        self._heard = None
        FOLLOWING.set(0)

    def _learn(self, entries: Iterable[tuple[Position, Mapping[bytes, bytes]]]) -> None:
        now = time.time_ns()
        for position, fields in entries:
            PROPAGATION.observe(max(0, now - position[0] * 1_000_000))
            self.moves.learn(position, _tags(fields))

    async def _cut(self, link: RedisLink, known: Position) -> bool:
        """Whether entries after `known` may be gone that were not read. A stream is cut at its beginning.

        Raises StoreUnavailableError where Redis takes no writes: then no service can name a tag.
        """
        oldest, newest, _ = await asyncio.gather(
            link.command(b"XRANGE", self._stream, b"-", b"+", b"COUNT", 1),
            link.command(b"XREVRANGE", self._stream, b"+", b"-", b"COUNT", 1),
            link.command(b"SET", self._writable, b"1", b"PX", 1000),
        )
        if not oldest or not newest:
            return True
        here, last = self.moves.now.position, _order(newest[0][0])
        BEHIND.set(ceil((last[0] - here[0]) / 1000) if last > here else 0)
        return _order(oldest[0][0]) > known or last < here

    async def _begin_anew(self, link: RedisLink, process: str) -> None:
        """Forgets all; an entry without tags says where. So the stream is never empty, and a cut is always seen.

        Its number is above all that is known. A Redis whose clock is behind the former one's would else go on with
        lower ones, which nobody reads.
        """
        known = self.moves.now.position
        here = await self._say(link, b"*")
        if here <= known:
            here = await self._say(link, b"%d-%d" % (known[0], known[1] + 1))
        self.moves.forget(AsOf(process, here))

    async def _say(self, link: RedisLink, number: bytes) -> Position:
        """Adds an entry without tags, and returns its number."""
        return _order(await link.command(b"XADD", self._stream, number, b"tags", b""))


def _process(info: bytes) -> str:
    fields = dict(line.split(b":", 1) for line in info.split(b"\r\n") if b":" in line)
    return fields.get(b"run_id", b"").decode("ascii", "replace")


def _entries(reply: Any) -> list[tuple[Position, Mapping[bytes, bytes]]]:
    if not reply:
        return []
    ((_, entries),) = reply.items() if isinstance(reply, dict) else reply
    return [(_order(entry), dict(zip(fields[::2], fields[1::2], strict=True))) for entry, fields in entries]


def _tags(fields: Mapping[bytes, bytes]) -> list[str]:
    named = fields.get(b"tags")
    return named.decode("utf-8", "replace").split(",") if named else []


def _order(entry: bytes) -> Position:
    milliseconds, _, number = entry.partition(b"-")
    return int(milliseconds), int(number)
