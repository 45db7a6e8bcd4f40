"""Ends its phases in every way that there is: the header `X-Do` says how."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kong.plugins.runtime.errors import ConfigError
from kong.plugins.runtime.pdk import BodyInFile, Kong

Schema = [
    {"greeting": {"type": "string", "default": "hello"}},
    {"slow_start": {"type": "number"}},
    {"fails_after": {"type": "number"}},
    {"deadline": {"type": "number"}},
    {"patience": {"type": "number"}},
]
STUBBORN_S = 30.0
version = "1.2.3"
priority = 10


class Plugin:
    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        greeting = config.get("greeting")
        if greeting is not None and not isinstance(greeting, str):
            raise ConfigError("greeting", "expected a string")
        if config.get("deadline"):
            self.phase_deadline = float(config["deadline"])
        self.alive = False

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        await asyncio.sleep(self.config.get("slow_start") or 0)
        self.alive = True
        async with asyncio.TaskGroup() as background:
            failing = background.create_task(self._fail_later())
            yield
            failing.cancel()
        self.alive = False

    async def _fail_later(self) -> None:
        await asyncio.sleep(self.config.get("fails_after") or 3600)
        raise RuntimeError("the background work broke")

    async def access(self, kong: Kong) -> None:
        if not self.alive:
            raise RuntimeError("an event outside of the lifespan")
        if self.config.get("greeting") == "raise at once":
            raise RuntimeError("broken on purpose, before the first call")
        do = await kong.request.get_header("x-do")
        if do:
            await getattr(self, "do_" + do.replace(" ", "_"))(kong)
        kong.service.request.set_header("x-greeting", self.config.get("greeting") or "")

    async def response(self, kong: Kong) -> None:
        if await kong.request.get_header("x-do") == "raise in response":
            raise RuntimeError("broken on purpose")
        kong.response.set_header("x-seen", "response")

    async def do_exit(self, kong: Kong) -> None:
        kong.response.exit(418, b"teapot", {"X-Two": ["a", "b"]})

    async def do_hand_over(self, kong: Kong) -> None:
        kong.response.hand_over("answer", 418, b"tea\xff", {"X-Two": ["a", "b"], "X-Many": "c" * 300})

    async def do_exit_and_go_on(self, kong: Kong) -> None:
        try:
            kong.response.exit(418)
        finally:
            await asyncio.sleep(0.01)

    async def do_raise(self, kong: Kong) -> None:
        kong.service.request.set_header("x-never", "sent")
        raise RuntimeError("broken on purpose")

    async def do_raise_after_sleep(self, kong: Kong) -> None:
        await asyncio.sleep(0.01)
        raise RuntimeError("broken on purpose")

    async def do_system_exit(self, kong: Kong) -> None:
        raise SystemExit(3)

    async def do_hang(self, kong: Kong) -> None:
        await asyncio.sleep(3600)

    async def do_hang_stubbornly(self, kong: Kong) -> None:
        for _ in range(3):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(STUBBORN_S)

    async def do_block(self, kong: Kong) -> None:
        time.sleep(3600)

    async def do_sleep(self, kong: Kong) -> None:
        await asyncio.sleep(0.3)

    async def do_mixed(self, kong: Kong) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
            path = await kong.request.get_path()
            await asyncio.sleep(0.001)
            kong.service.request.set_header("x-path", path)
            await asyncio.gather(asyncio.sleep(0.001), asyncio.sleep(0))
        kong.response.exit(200, f"mixed {path}")

    async def do_timeout_around_question(self, kong: Kong) -> None:
        try:
            async with asyncio.timeout(self.config.get("patience")):
                await kong.client.get_ip()
        except TimeoutError:
            kong.response.exit(200, "timed out")
        kong.response.exit(200, "answered")

    async def do_timeout_around_sleep(self, kong: Kong) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.sleep(3600)
        kong.response.exit(200, f"timed out {await kong.request.get_path()}")

    async def do_question_in_another_task(self, kong: Kong) -> None:
        async def ask() -> str:
            return await kong.request.get_path()

        await asyncio.gather(ask(), ask())

    async def do_gather(self, kong: Kong) -> None:
        method, path, body = await kong.gather(
            kong.request.get_method(), kong.request.get_path(), kong.request.get_raw_body()
        )
        size = -1 if isinstance(body, BodyInFile) else len(body)
        kong.response.exit(200, f"{method} {path} {size}")

    async def do_leak(self, kong: Kong) -> None:
        """Start a task that outlives the phase and calls Kong."""

        async def late() -> None:
            await asyncio.sleep(0.05)
            kong.service.request.set_header("x-late", "1")

        LEAKED.append(asyncio.create_task(late()))

    async def do_reap(self, kong: Kong) -> None:
        """What became of the leaked task."""
        results = await asyncio.gather(*LEAKED, return_exceptions=True)
        kong.response.exit(200, ",".join(type(result).__name__ for result in results))


LEAKED: list[asyncio.Task[None]] = []
