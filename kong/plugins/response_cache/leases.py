"""One of several processes asks upstream for an answer, and hands it to those that wait for it.

Redis holds a lease while it asks, and the answer for two seconds, where somebody said that they wait. So strangers who
ask for ever new things leave leases there, and no answers. Redis down: everybody asks.
"""

from __future__ import annotations

import asyncio
import secrets
import time

import msgspec

from common.redis_link import RedisLink, StoreUnavailableError
from kong.plugins.response_cache.entries import Entry
from kong.plugins.response_cache.storing import Kept
from kong.plugins.response_cache.tags import AsOf

ANSWER_FOR_MS = 2000
LOOK_EVERY = 0.02
LARGEST_SHARED = 262_144
"""Bytes of a body; larger ones are each process' own."""


class _Shared(msgspec.Struct, array_like=True):
    kept: Kept
    as_of: AsOf
    at: float


_decoder = msgspec.msgpack.Decoder(_Shared)


class Leases:
    """`patience` in seconds: how long a lease is held at most, and how long somebody waits."""

    def __init__(self, link: RedisLink, patience: float) -> None:
        self._link = link
        self._patience = patience
        self._owner = secrets.token_hex(8).encode()
        self._background: set[asyncio.Task[None]] = set()

    async def answer_of_another(self, key: bytes) -> Entry | None:
        """The answer that another process has asked for; None where the caller is to ask upstream."""
        try:
            if await self._taken(key):
                return None
            await self._link.command(b"SET", _wanted(key), b"1", b"PX", self._milliseconds)
            give_up = time.monotonic() + self._patience
            while time.monotonic() < give_up:
                await asyncio.sleep(LOOK_EVERY)
                if found := await self._link.command(b"GET", _answer(key)):
                    return _entry(found)
                if await self._taken(key):
                    return None
        except (StoreUnavailableError, msgspec.MsgspecError):
            pass
        return None

    def landed(self, key: bytes, entry: Entry | None) -> None:
        """Whoever waits for the answer is told; None where there is none to be shown."""
        task = asyncio.ensure_future(self._hand_over(key, entry))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        for task in self._background:
            task.cancel()
        if self._background:
            await asyncio.wait(self._background)

    async def _taken(self, key: bytes) -> bool:
        """Whether the lease is this process' now."""
        reply = await self._link.command(b"SET", _lease(key), self._owner, b"NX", b"PX", self._milliseconds)
        return reply is not None

    async def _hand_over(self, key: bytes, entry: Entry | None) -> None:
        try:
            fits = entry is not None and len(entry.kept.body) <= LARGEST_SHARED
            if entry is not None and fits and await self._link.command(b"GET", _wanted(key)):
                shared = _Shared(entry.kept, entry.as_of, time.time())
                content = msgspec.msgpack.encode(shared)
                await self._link.command(b"SET", _answer(key), content, b"PX", ANSWER_FOR_MS)
            await self._link.command(b"DEL", _lease(key))
        except StoreUnavailableError:
            return

    @property
    def _milliseconds(self) -> int:
        return max(1, round(self._patience * 1000))


def _entry(found: bytes) -> Entry:
    shared = _decoder.decode(found)
    return Entry(shared.kept, shared.as_of, time.monotonic() - max(0.0, time.time() - shared.at))


def _lease(key: bytes) -> bytes:
    return b"cache:lease:" + key.hex().encode()


def _wanted(key: bytes) -> bytes:
    return b"cache:wanted:" + key.hex().encode()


def _answer(key: bytes) -> bytes:
    return b"cache:answer:" + key.hex().encode()
