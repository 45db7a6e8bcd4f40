"""CPU of one Redis command from a plugin process: this project's connection beside coredis', in one run.

A script that reads one key, 1, 4 and 16 at a time, on a Redis of its own; only this process's CPU counts, the server is
another. `python -m bench.redis_link [COMMANDS]`.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import coredis
import uvloop

from bench.figures import figure
from common.redis_link import RedisLink, Script
from devstack import throwaway

SOURCE = "return redis.call('GET', KEYS[1])"
TIMEOUT = 1.0


async def cost(call: Callable[[], Awaitable[object]], commands: int, at_once: int) -> float:
    """CPU microseconds a command."""

    async def one_after_another() -> None:
        for _ in range(commands // at_once):
            await call()

    before = time.process_time()
    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return (time.process_time() - before) / commands * 1e6


async def main(url: str, commands: int) -> None:
    script, value = Script(SOURCE), b"x" * 64
    client = coredis.Redis.from_url(
        url, connect_timeout=TIMEOUT, stream_timeout=TIMEOUT, pool_timeout=TIMEOUT
    )
    async with RedisLink(url, TIMEOUT) as link, client:
        theirs = client.register_script(SOURCE)

        async def by_coredis() -> object:
            return await theirs([b"key"], [value, 30000])

        async def by_link() -> object:
            return await link.evaluate(script, b"key", value, 30000)

        print(f"{'at once':>8} {'this link':>10} {'coredis':>10} {'ratio':>7}   (CPU µs a command)")
        for at_once in (1, 4, 16):
            for call in (by_link, by_coredis):
                await cost(call, commands // 10, at_once)
            ours = await cost(by_link, commands, at_once)
            others = await cost(by_coredis, commands, at_once)
            figure(
                f"Redis link, {at_once} at once, coredis against it", others / ours, "ratio", at_least=True
            )
            print(f"{at_once:>8} {ours:>10.0f} {others:>10.0f} {others / ours:>7.1f}")


if __name__ == "__main__":
    with throwaway.redis() as redis, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(redis.url(), int(sys.argv[1]) if len(sys.argv) > 1 else 8000))
