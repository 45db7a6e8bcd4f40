"""Auth's public keys, kept at hand: fetched in the background, and at once when a token names one that is
new.

While auth is down the keys known so far stay good. Nothing that clients send makes more than one fetch per
`cooldown`.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

import aiohttp
import msgspec

from kong.plugins.runtime import metrics
from kong.plugins.token_validator import jwks
from kong.plugins.token_validator.jwks import KeySetError, VerificationKey

log = logging.getLogger(__name__)

LARGEST_DOCUMENT = 262144
FIRST_RETRY, LONGEST_RETRY = 0.25, 2.0
"""Seconds between attempts while no key is known yet, or the last fetch failed."""

FETCHES = metrics.counter(
    "token_validator_jwks_fetches_total", "Fetches of the key set.", outcome=("ok", "failed")
)


class KeySource(msgspec.Struct, frozen=True):
    """Where keys come from: `refresh`, `cooldown` and `timeout` in seconds."""

    url: str
    refresh: float
    cooldown: float
    timeout: float


class Keys:
    """The current key set of one source.

    `known` is empty until the first fetch has succeeded; `generation` changes with every change of the set.
    """

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self.known: Mapping[str, VerificationKey] = MappingProxyType({})
        self.generation = 0
        self._document = b""
        self._session: aiohttp.ClientSession
        self._background: asyncio.Task[None] | None = None
        self._fetching: asyncio.Task[bool] | None = None
        self._asked = -source.cooldown

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._source.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": "application/jwk-set+json, application/json"},
        )
        self._background = asyncio.create_task(self._keep_fresh(), name="jwks-refresh")
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = {task for task in (self._background, self._fetching) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._session.close()

    async def look_again(self, key_id: str) -> None:
        """Returns when the set has been fetched anew because of this name, or when that is not due yet.

        Requests that come meanwhile share one fetch.
        """
        if self._fetching is None or self._fetching.done():
            now = time.monotonic()
            if now - self._asked < (self._source.cooldown if self.known else FIRST_RETRY):
                return
            self._asked = now
            log.info("fetching the key set for key %.64r", key_id)
        await self._fetch_shared()

    async def _keep_fresh(self) -> None:
        retry = FIRST_RETRY
        while True:
            if await self._fetch_shared():
                retry = FIRST_RETRY
                await asyncio.sleep(self._source.refresh)
            else:
                await asyncio.sleep(retry)
                retry = min(retry * 2, LONGEST_RETRY if not self.known else self._source.refresh)

    async def _fetch_shared(self) -> bool:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(), name="jwks-fetch")
        return await asyncio.shield(self._fetching)

    async def _fetch(self) -> bool:
        try:
            document = await self._download()
            if document != self._document:
                self.known = MappingProxyType(jwks.read(document))
                self._document = document
                self.generation += 1
                log.info("key set of %d keys", len(self.known))
        except (aiohttp.ClientError, TimeoutError, KeySetError) as error:
            FETCHES.labels(outcome="failed").inc()
            log.warning("the key set was not fetched, %d known keys stay: %r", len(self.known), error)
            return False
        FETCHES.labels(outcome="ok").inc()
        return True

    async def _download(self) -> bytes:
        async with self._session.get(self._source.url, allow_redirects=False) as response:
            if response.status != 200:
                raise KeySetError(f"status {response.status}")
            document = bytearray()
            async for chunk in response.content.iter_any():
                document += chunk
                if len(document) > LARGEST_DOCUMENT:
                    raise KeySetError(f"more than {LARGEST_DOCUMENT} bytes")
            return bytes(document)
