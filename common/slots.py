"""A bounded number of places, first come, first served. A free one is had without a task's turn, as most are."""

import asyncio
from collections import deque
from contextlib import suppress


class Slots:
    """Whoever takes a place gives it back, once."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Takes a place, if one is free."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Takes a place, in turn."""
        if self.take():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                with suppress(ValueError):
                    self._waiting.remove(waiter)
            else:  # it was given one in that moment
                self.give_back()
            raise

    def give_back(self) -> None:
        """The place goes to whoever has waited longest: none is free while somebody waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1
