"""Auth's public keys, kept at hand: fetched in the background, and at once when a token names one that is
new.

While auth is down the keys known so far stay good. Nothing that clients send makes more than one fetch per
`cooldown`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from types import MappingProxyType
from typing import Self

import msgspec

from common.access_tokens import jwk_set
from common.access_tokens.jwk_set import KeySetError, VerificationKey
from common.http_client import CallFailed, HttpClient

log = logging.getLogger(__name__)

LARGEST_DOCUMENT = 262144
MOST_WAITING = 256
"""Requests that wait for the set at a time: anybody can name a key, and a plugin server has room for 512 in all."""
FIRST_RETRY, LONGEST_RETRY = 0.25, 2.0
"""Seconds between attempts while no key is known yet, or the last fetch failed."""


class KeySource(msgspec.Struct, frozen=True):
    """Where keys come from: `refresh`, `cooldown` and `timeout` in seconds."""

    url: str
    refresh: float
    cooldown: float
    timeout: float


class PublicKeys:
    """The current key set of one source. `fetched` is told after each fetch whether it succeeded.

    `known` is empty until the first fetch has succeeded, and another mapping after every change of the set.
    """

    def __init__(self, source: KeySource, fetched: Callable[[bool], object] = bool) -> None:
        self._source = source
        self._told = fetched
        self.known: Mapping[str, VerificationKey] = MappingProxyType({})
        self._document = b""
        self._client = HttpClient(connections=2)
        self._open = AsyncExitStack()
        self._background: asyncio.Task[None] | None = None
        self._fetching: asyncio.Task[bool] | None = None
        self._asked = -source.cooldown
        self._waiting = 0

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._client.lifespan())
        self._background = asyncio.create_task(self._keep_fresh(), name="jwks-refresh")
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = {task for task in (self._background, self._fetching) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._open.aclose()

    async def look_again(self, key_id: str, patience: float | None = None) -> bool:
        """Returns when the set has been fetched anew because of this name, or when that is not due yet; False at once
        where too many wait already.

        Requests that come meanwhile share one fetch. It goes on without those whose `patience` (seconds) is over.
        """
        if self._waiting >= MOST_WAITING:
            return False
        if self._fetching is None or self._fetching.done():
            now = time.monotonic()
            if now - self._asked < (self._source.cooldown if self.known else FIRST_RETRY):
                return True
            self._asked = now
            log.info("fetching the key set for key %.64r", key_id)
        self._waiting += 1
        try:
            await asyncio.wait({self._fetch_once()}, timeout=patience)
        finally:
            self._waiting -= 1
        return True

    async def _keep_fresh(self) -> None:
        retry = FIRST_RETRY
        while True:
            if await asyncio.shield(self._fetch_once()):
                retry = FIRST_RETRY
                await asyncio.sleep(self._source.refresh)
            else:
                await asyncio.sleep(retry)
                retry = min(retry * 2, LONGEST_RETRY if not self.known else self._source.refresh)

    def _fetch_once(self) -> asyncio.Task[bool]:
        """The fetch under way, or a new one."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(), name="jwks-fetch")
        return self._fetching

    async def _fetch(self) -> bool:
        try:
            document = await self._download()
            if document != self._document:
                self.known = MappingProxyType(jwk_set.read(document))
                self._document = document
                log.info("key set of %d keys", len(self.known))
        except (CallFailed, KeySetError) as error:
            log.warning("the key set was not fetched, %d known keys stay: %s", len(self.known), error)
            succeeded = False
        except Exception:
            # A background that ended here would keep withdrawn keys until somebody restarts it.
            log.exception("the key set could not be fetched")
            succeeded = False
        else:
            succeeded = True
        self._told(succeeded)
        return succeeded

    async def _download(self) -> bytes:
        answer = await self._client.call(
            "GET",
            self._source.url,
            timeout=self._source.timeout,
            headers={"Accept": "application/jwk-set+json, application/json"},
        )
        if answer.status != 200:
            raise KeySetError(f"status {answer.status}")
        if len(answer.body) > LARGEST_DOCUMENT:
            raise KeySetError(f"more than {LARGEST_DOCUMENT} bytes")
        return answer.body
