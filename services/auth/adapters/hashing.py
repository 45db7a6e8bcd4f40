"""argon2id (RFC 9106) in a bounded pool of threads.

A hash takes its whole memory and one core for about a tenth of a second, so no more run at once than there
are cores, and no more wait than are answered within a few seconds; the rest is refused at once. Who waits and
who is refused is `fair_queue`'s to say.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.auth.domain.errors import Overloaded
from services.auth.domain.fair_queue import FairQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Parameters:
    """RFC 9106 §3.1: `t` passes, `m` KiB of memory, `p` lanes."""

    t: int
    m: int
    p: int


class Argon2Passwords:
    """`threads`: hashes at once; `waiting`: callers that may wait for one of them."""

    def __init__(self, parameters: Argon2Parameters, *, threads: int, waiting: int) -> None:
        self._hasher = PasswordHasher(
            time_cost=parameters.t, memory_cost=parameters.m, parallelism=parameters.p
        )
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        # A future for each caller: whether it has its turn (True) or is refused (False).
        self._queue: FairQueue[asyncio.Future[bool]] = FairQueue(threads, waiting)
        # Of a password that nobody knows, made with today's parameters: it costs what a real one costs.
        self._nobodys = self._hasher.hash("no account has this hash")

    @asynccontextmanager
    async def turn(self, network: str) -> AsyncIterator["_Turn"]:
        mine: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        _tell(self._queue.join(mine, network), False)
        _tell(self._queue.next(), True)
        try:
            if not await mine:
                raise Overloaded
            yield _Turn(self._hasher, self._pool, self._nobodys)
        finally:
            self._queue.leave(mine, network)
            _tell(self._queue.next(), True)

    def outdated(self, hash_: str) -> bool:
        return self._hasher.check_needs_rehash(hash_)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Turn:
    def __init__(self, hasher: PasswordHasher, pool: ThreadPoolExecutor, nobodys: str) -> None:
        self._hasher = hasher
        self._pool = pool
        self._nobodys = nobodys

    async def verify(self, hash_: str | None, password: str) -> bool:
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(self._pool, self._verify, hash_ or self._nobodys, password)
        return matches and hash_ is not None

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, self._hasher.hash, _encode(password)
        )

    def _verify(self, hash_: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash_, _encode(password))
        except (VerificationError, InvalidHashError):
            return False


def _tell(caller: asyncio.Future[bool] | None, has_turn: bool) -> None:
    # One that was cancelled a moment ago hears nothing any more; it is about to leave, and calls the next then.
    if caller is not None and not caller.done():
        caller.set_result(has_turn)


def _encode(password: str) -> bytes:
    # JSON can spell half of a surrogate pair, which UTF-8 cannot; such a password is as good as any other.
    return password.encode("utf-8", "surrogatepass")
