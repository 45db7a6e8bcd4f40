"""How late the event loop comes to what is due: a process whose loop is held up answers nothing, and looks idle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry, Histogram

EVERY_S = 0.5
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class LoopLag:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "event_loop_lag_seconds",
            "How late a timer of the event loop came.",
            buckets=BOUNDS_S,
            registry=registry,
        )

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Measures for as long as the context lasts."""
        task = asyncio.create_task(self._watch(), name="event loop lag")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self._seconds.observe(max(0.0, loop.time() - due))
