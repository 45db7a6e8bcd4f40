"""Asks for what will be asked for, before anybody does: a cache that starts is empty.

The requests go to Kong's own listener as anybody's do, so what comes back is kept by the same rules. Whatever fails is
left to the first reader.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from common.http_client import CallFailed, HttpClient

log = logging.getLogger(__name__)

MOST = 200
"""Paths of one configuration."""
AT_ONCE = 4
ALL_WITHIN_S = 20.0
ONE_WITHIN_S = 3.0
LOOK_EVERY_S = 0.05


async def warm_up(paths: Sequence[str], listener: str, ready: Callable[[], bool]) -> int:
    """Asks `listener` (a URL without path) for each path, once `ready`. How many were answered by 200; never raises."""
    waiting, answered = list(reversed(paths[:MOST])), 0

    async def ask(client: HttpClient) -> None:
        nonlocal answered
        while waiting:
            path = waiting.pop()
            try:
                answer = await client.call("GET", listener + path, timeout=ONE_WITHIN_S)
            except CallFailed as fault:
                log.info("not warmed up", extra={"path": path, "cause": str(fault)})
            else:
                answered += answer.status == 200

    try:
        async with asyncio.timeout(ALL_WITHIN_S):
            while not ready():  # noqa: ASYNC110 - what is known of the tags has no event of its own
                await asyncio.sleep(LOOK_EVERY_S)
            client = HttpClient(connections=AT_ONCE)
            async with client.lifespan(), asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(ask(client))
    except TimeoutError:
        log.info("warming up takes too long; the rest is left", extra={"left": len(waiting)})
    except Exception:
        log.exception("warming up failed")
    log.info("warmed up", extra={"asked": len(paths), "answered": answered})
    return answered
