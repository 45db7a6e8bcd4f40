"""Simultaneous requests for one answer: the first goes upstream, the others wait for what comes of it."""

import asyncio

from kong.plugins.response_cache.entries import Entry

UNCACHEABLE_FOR = 5.0
"""Seconds in which nobody waits for an answer that turned out to be one of those that are not kept."""
MOST = 10_000
"""Keys that are remembered as uncacheable."""


class Flights:
    """`patience`: seconds after which a flight counts as lost, and whoever comes next goes upstream."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._under_way: dict[bytes, tuple[float, asyncio.Future[Entry | None]]] = {}
        self._uncacheable: dict[bytes, float] = {}

    def join(self, key: bytes, now: float) -> asyncio.Future[Entry | None] | None:
        """The flight that is under way; None where the caller is to go, or nobody need wait."""
        if self._uncacheable.get(key, 0.0) > now:
            return None
        self._forget_lost(now)
        found = self._under_way.get(key)
        if found is not None:
            return found[1]
        self._under_way[key] = (now, asyncio.get_running_loop().create_future())
        return None

    def _forget_lost(self, now: float) -> None:
        """Those that began first are first: where upstream is down no answer ever lands, whatever is asked."""
        while self._under_way:
            key, (begun, future) = next(iter(self._under_way.items()))
            if now - begun < self._patience:
                return
            del self._under_way[key]
            self._settle(future, None)

    def leads(self, key: bytes) -> bool:
        """Whether others wait, or will wait, for what the caller brings."""
        return key in self._under_way

    def land(self, key: bytes, entry: Entry | None, now: float) -> None:
        """What came of it; None for an answer that is not kept."""
        found = self._under_way.pop(key, None)
        if found is not None:
            self._settle(found[1], entry)
        if entry is None:
            if len(self._uncacheable) >= MOST:
                self._uncacheable.clear()
            self._uncacheable[key] = now + UNCACHEABLE_FOR
        else:
            self._uncacheable.pop(key, None)

    def __len__(self) -> int:
        return len(self._under_way)

    @staticmethod
    def _settle(future: "asyncio.Future[Entry | None]", entry: Entry | None) -> None:
        if not future.done():
            future.set_result(entry)
