"""Finds the server to use: asks one Sentinel or node after the other until one answers, each by its own connection."""

import asyncio
from collections.abc import Iterable
from typing import Any

from common.redis_address import Endpoint, RedisAddress
from common.redis_connection import (
    Command,
    ConnectionLostError,
    NoAnswerError,
    RedisConnection,
    RefusedError,
)


async def first_answer(
    servers: Iterable[RedisAddress], command: Command, client_name: str, deadline: float
) -> tuple[Endpoint, Any]:
    """Who answered first with something, and what. Raises NoAnswerError with the last one's reason.

    Each has its share of the time that is left, so that one which hangs does not keep us from the next.
    """
    loop = asyncio.get_running_loop()
    asked = list(servers)
    reason = "it has no answer"
    for number, server in enumerate(asked):
        now = loop.time()
        until = now + (deadline - now) / (len(asked) - number)
        try:
            answer = await _ask(server, command, client_name, until)
        except (OSError, ConnectionLostError, NoAnswerError, RefusedError) as error:
            reason = str(error)
            continue
        if answer:
            return (server.host, server.port), answer
        reason = "it has no answer"
    raise NoAnswerError(reason)


async def _ask(server: RedisAddress, command: Command, client_name: str, deadline: float) -> Any:
    connection = await RedisConnection.open(server, client_name, deadline)
    try:
        return await connection.send(command, deadline)
    finally:
        connection.close()
