"""Reserves a request's key before it goes upstream, and ends the reservation with its outcome."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Protocol, Self

import msgspec

from common.redis_link import StoreUnavailableError
from kong.plugins.idempotency import records
from kong.plugins.idempotency.outcomes import Outcome
from kong.plugins.idempotency.records import Finding, InProgress
from kong.plugins.runtime import metrics
from kong.plugins.waiting import Waiting

log = logging.getLogger(__name__)

ENDINGS = metrics.counter(
    "idempotency_endings_total",
    "Reservations by how they ended.",
    ending=("completed", "not_kept", "released", "lease_lost", "store_error"),
)

POLL_FIRST, POLL_LONGEST = 0.01, 0.2
KEEPALIVE = 1.0
"""Seconds of waiting after which Kong is asked something: it gives a silent plugin 3."""
RELEASE_EVERY, RELEASED_AFTER = 0.2, 3
"""Seconds between attempts to free what was given up; answers of Redis after which nothing is late any more."""
MOST_RELEASES = 1000
_waiting = Waiting()
THREAD_FROM = 65536
"""Bytes of body from which compressing would hold up the event loop."""


class RecordStore(Protocol):
    """The records by storage key. Every method raises StoreUnavailableError; repeating one is harmless."""

    async def reserve(self, key: bytes, reservation: bytes, lease: float) -> tuple[bytes, float] | None:
        """Writes the reservation for `lease` seconds, or returns the record that is there and its seconds left."""

    async def complete(self, key: bytes, reservation: bytes, completion: bytes, ttl: float) -> bool:
        """Puts the completion, for `ttl` seconds, in the reservation's place.

        False where the lease had ended before: the completion is kept only if no other request has the key by now.
        """

    async def release(self, key: bytes, reservation: bytes) -> bool:
        """Frees the key. False where the reservation was not there any more."""


class Claim(msgspec.Struct, frozen=True):
    """What identifies a request: its storage key, its fingerprint, and Kong's id of it."""

    key: bytes
    fingerprint: bytes
    owner: str
    anonymous: bool = False

    @property
    def reservation(self) -> bytes:
        return records.reservation(self.fingerprint, self.owner)

    def __str__(self) -> str:
        return f"{self.key.decode()} {self.fingerprint.hex()} {self.owner} {'anonymous' if self.anonymous else ''}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The claim that `str(claim)` wrote."""
        key, fingerprint, owner, anonymous = text.split(" ")
        return cls(key.encode(), bytes.fromhex(fingerprint), owner, anonymous != "")


class Reservations:
    """`lease`, `wait`, `ttl` and `anonymous_ttl` in seconds."""

    def __init__(
        self, store: RecordStore, *, lease: float, wait: float, ttl: float, anonymous_ttl: float
    ) -> None:
        self._store = store
        self._lease = lease
        self._wait = wait
        self._ttl = ttl
        self._anonymous_ttl = min(ttl, anonymous_ttl)
        self._releases: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stops freeing keys: the rest of them waits for the end of its lease."""
        for task in self._releases:
            task.cancel()
        if self._releases:
            await asyncio.wait(self._releases)

    async def make(self, claim: Claim, keep_alive: Callable[[], Awaitable[object]]) -> Finding | None:
        """Reserves the key, or says what holds it, once a request under way has been waited for.

        None: the reservation is this request's. `keep_alive` asks Kong something, which gives a silent plugin up after
        3 s. Raises StoreUnavailableError.
        """
        start = last_sign = time.monotonic()
        pause = POLL_FIRST
        with ExitStack() as place:
            while True:
                try:
                    found = await self._store.reserve(claim.key, claim.reservation, self._lease)
                except StoreUnavailableError:
                    self._release_later(claim)
                    raise
                if found is None:
                    return None
                finding = records.read(found[0], claim.fingerprint, found[1])
                now = time.monotonic()
                left = start + self._wait - now
                if not isinstance(finding, InProgress) or left <= 0:
                    return finding
                if pause == POLL_FIRST:  # it has not waited yet
                    if not _waiting.room:
                        return finding
                    place.enter_context(_waiting)
                if now - last_sign > KEEPALIVE:
                    await keep_alive()
                    last_sign = now
                await asyncio.sleep(min(pause, left))
                pause = min(pause * 1.5, POLL_LONGEST)

    def _release_later(self, claim: Claim) -> None:
        """Frees the key of a request that was turned away because Redis gave no answer in time.

        Redis may carry the command out later all the same. The repeat that the client was asked for would then meet a
        reservation without a request until its lease ends.
        """
        if len(self._releases) < MOST_RELEASES:
            task = asyncio.create_task(self._free(claim), name="release a reservation later")
            self._releases.add(task)
            task.add_done_callback(self._releases.discard)

    async def _free(self, claim: Claim) -> None:
        end, answers = time.monotonic() + self._lease, 0
        while time.monotonic() < end and answers < RELEASED_AFTER:
            await asyncio.sleep(RELEASE_EVERY)
            try:
                if await self._store.release(claim.key, claim.reservation):
                    return
            except StoreUnavailableError:
                continue
            answers += 1

    async def end(self, claim: Claim, conclusion: Outcome | None) -> None:
        """Completes the reservation, or frees it where there is nothing to keep.

        When Redis is lost here the effect has happened, so the client still gets its answer; the key stays reserved
        until the lease ends, and a repeat after that meets the service's own record of the key.
        """
        try:
            if conclusion is None:
                ending, held = "released", await self._store.release(claim.key, claim.reservation)
            else:
                ending, held = await self._complete(claim, conclusion)
        except StoreUnavailableError as error:
            ENDINGS.labels(ending="store_error").inc()
            log.warning("an outcome was not kept, its key stays reserved until the lease ends: %s", error)
            return
        if not held:
            log.warning("the lease of request %s ended before it did: raise lock_ttl", claim.owner)
        ENDINGS.labels(ending=ending if held else "lease_lost").inc()

    async def _complete(self, claim: Claim, outcome: Outcome) -> tuple[str, bool]:
        if len(outcome.body) < THREAD_FROM:
            completion = records.completion(claim.fingerprint, outcome)
        else:
            completion = await asyncio.to_thread(records.completion, claim.fingerprint, outcome)
        ttl = self._anonymous_ttl if claim.anonymous else self._ttl
        held = await self._store.complete(claim.key, claim.reservation, completion, ttl)
        return "not_kept" if outcome.unkept else "completed", held
