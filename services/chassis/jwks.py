"""Auth's public keys: fetched over HTTP, kept, and refreshed without ever letting callers drive the fetching.

Refreshed when older than `max_age`, and at once for an unknown `kid` (a rotation), but never more often than
`min_interval`: otherwise anybody could make this service call auth by sending made-up key ids. While auth is down the
last keys stay in use, as they are still the keys that signed the tokens in circulation.

A known `kid` never waits: an auth that hangs would make every request wait with it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from common import jwk_set
from common.http_client import CallFailed, HttpClient
from services.chassis import tokens
from services.chassis.errors import Unavailable

_log = logging.getLogger(__name__)

FETCH_TIMEOUT_S = 2.0
UNKNOWN_KID_WAIT_S = 0.5
"""So long may a request wait for the keys: below what a screen has (bff, 800 ms). The fetch goes on without it."""


def parse(document: bytes) -> dict[str, ECKey]:
    """The ES256 verification keys of a JWK set (RFC 7517 §5); others are passed over, and both of two that
    share a `kid` (common/jwk_set.py). Raises ValueError."""
    found = {kid: _parse_key(entry) for kid, entry in jwk_set.candidates(document).items()}
    keys = {kid: key for kid, key in found.items() if key is not None}
    if not keys:
        raise ValueError("the JWK set has no usable key")
    return keys


def _parse_key(entry: Mapping[str, Any]) -> ECKey | None:
    if entry.get("kty") != "EC" or entry.get("crv") != "P-256":
        return None
    if entry.get("alg", tokens.ALGORITHM) != tokens.ALGORITHM:
        return None
    try:
        return ECKey.import_key(dict(entry))
    except (JoseError, ValueError, TypeError):
        return None


class KeySet:
    """The keys by `kid`. Times are in seconds."""

    def __init__(
        self,
        client: HttpClient,
        url: str,
        *,
        max_age: float = 300,
        min_interval: float = 5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._url = url
        self._max_age = max_age
        self._min_interval = min_interval
        self._clock = clock
        self._keys: dict[str, ECKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Ends a refresh that is under way at the context's end. Inside it, the client is open."""
        try:
            yield
        finally:
            if self._refreshing is not None:
                self._refreshing.cancel()
                with suppress(asyncio.CancelledError):
                    await self._refreshing

    async def for_kid(self, kid: str | None) -> Mapping[str, ECKey]:
        """The keys to judge a token of this `kid` with. Raises Unavailable while there has never been any."""
        if kid in self._keys:
            if self._clock() - self._fetched_at > self._max_age:
                self._refresh_once()
            return self._keys
        # Whoever comes while a fetch is under way waits for it, and then finds what it brought.
        refreshing = self._refresh_once()
        if refreshing is not None:
            await asyncio.wait({refreshing}, timeout=UNKNOWN_KID_WAIT_S)
        if not self._keys:
            raise Unavailable("Access tokens cannot be checked at the moment.")
        return self._keys

    async def check(self) -> None:
        """Returns when there are keys to judge tokens with. Raises Unavailable."""
        if not self._keys:
            await self.for_kid(None)

    def _refresh_once(self) -> asyncio.Task[None] | None:
        """The refresh under way, or a new one; None where the last one was too short a time ago."""
        if self._refreshing is not None and not self._refreshing.done():
            return self._refreshing
        if self._clock() - self._tried_at < self._min_interval:
            return None
        self._tried_at = self._clock()
        self._refreshing = asyncio.create_task(self._refresh(), name="key set refresh")
        return self._refreshing

    async def _refresh(self) -> None:
        try:
            self._keys = parse(await self._fetch())
            self._fetched_at = self._clock()
        except (CallFailed, ValueError) as fault:
            _log.warning("the key set could not be refreshed", extra={"cause": str(fault)})
        except Exception:
            # Nobody awaits the outcome: unlogged it would be lost.
            _log.exception("the key set could not be refreshed")

    async def _fetch(self) -> bytes:
        answer = await self._client.call("GET", self._url, timeout=FETCH_TIMEOUT_S)
        if answer.status != 200:
            raise CallFailed(f"status {answer.status}")
        return answer.body
