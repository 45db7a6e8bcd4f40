"""argon2id (RFC 9106) in a bounded pool of threads.

A hash takes its whole memory and one core for about a tenth of a second, so no more run at once than there
are cores, and no more wait than are answered within a few seconds; the rest is refused at once.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.auth.domain.errors import Overloaded


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
        self._places = asyncio.Semaphore(threads)
        self._left = threads + waiting
        # Of a password that nobody knows, made with today's parameters: it costs what a real one costs.
        self._nobodys = self._hasher.hash("no account has this hash")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["_Turn"]:
        if self._left == 0:
            raise Overloaded
        self._left -= 1
        try:
            async with self._places:
                yield _Turn(self._hasher, self._pool, self._nobodys)
        finally:
            self._left += 1

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


def _encode(password: str) -> bytes:
    # JSON can spell half of a surrogate pair, which UTF-8 cannot; such a password is as good as any other.
    return password.encode("utf-8", "surrogatepass")
