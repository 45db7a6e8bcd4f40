"""One call for all who ask the same at the same moment: a busy start page must not multiply into its sources.

Only for what is the same for everybody. Nothing is kept: whoever comes after the answer asks anew.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Flights:
    """Calls under way, by what they ask for."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def join(self, what: Hashable, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `call` returns or raises, made by the first who asks for `what`. Who goes away leaves it to the rest."""
        task: asyncio.Task[T] | None = self._under_way.get(what)
        if task is None:
            task = asyncio.create_task(call())
            self._under_way[what] = task
            task.add_done_callback(lambda done: self._land(what, done))
        return await asyncio.shield(task)

    def _land(self, what: Hashable, done: asyncio.Task[Any]) -> None:
        del self._under_way[what]
        if not done.cancelled():
            # Looked at, as perhaps nobody waits any more.
            done.exception()
