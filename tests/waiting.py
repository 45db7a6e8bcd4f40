"""Waits until something holds. How long it takes says what else the machine does: no test measures that."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import psutil

WITHIN = 60.0
"""Seconds after which it will not come any more, on the slowest machine that runs these tests."""


async def until(holds: Callable[[], bool | Awaitable[bool]], every: float = 0.01) -> None:
    """Looks every `every` seconds; raises TimeoutError where it does not come to hold."""
    async with asyncio.timeout(WITHIN):
        while True:
            found = holds()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(every)


def ended(pid: int) -> bool:
    """Whether the process has ended, collected or not: a container's first process may never collect it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
