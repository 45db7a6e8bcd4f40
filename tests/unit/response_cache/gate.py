"""A route with the plugin, before an upstream of the test's."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kong.plugins.response_cache.config import Config
from kong.plugins.response_cache.plugin import Plugin
from kong.plugins.response_cache.tags import AsOf, Moves
from kong.plugins.runtime import configuration
from tests.fake_kong import FakeKong


class Answer(msgspec.Struct):
    status: int
    body: bytes
    headers: dict[str, Any]

    @property
    def cache(self) -> str:
        return str(self.headers.get("Cache-Status", ""))


Upstream = Callable[[Mapping[str, Any], str], Answer]
"""From the headers that reach it and the query, what it says."""


class KnownMoves:
    """The watch, without Redis."""

    def __init__(self) -> None:
        self.moves = Moves()
        self.moves.forget(AsOf("redis", (1, 0)))
        self.known = True

    def current(self) -> bool:
        return self.known

    def move(self, *tags: str) -> None:
        self.moves.learn((self.moves.now.position[0] + 1, 0), tags)


class NoLeases:
    """No other process."""

    async def answer_of_another(self, key: bytes) -> None:
        return None

    def landed(self, key: bytes, entry: object) -> None:
        """Nobody waits."""


class Gate:
    """`route`: what the plugin is attached to; None: to a service, whose routes Kong tells apart."""

    def __init__(self, upstream: Upstream, *, route: str | None = "products", **config: Any) -> None:
        given = {"redis_url": "redis://redis:6379/0", "query": ["q", "lang"], **config}
        self.plugin = Plugin(configuration.read(Config, given))
        self.plugin.attached_to(route)
        self.watch = KnownMoves()
        self.plugin._leases = NoLeases()  # type: ignore[assignment]
        self.plugin._watch = self.watch  # type: ignore[assignment]
        self.upstream = upstream
        self.asked = 0

    async def ask(self, path: str = "/api/products", method: str = "GET", **headers: Any) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kong = FakeKong(method=method, path=path, headers=named)
        return await self.pass_through(kong)

    async def pass_through(self, kong: FakeKong) -> Answer:
        ended = await kong.run(self.plugin, "access")
        if ended is None:
            await self.answer_from_upstream(kong)
            ended = await kong.run(self.plugin, "response")
        if ended is not None:
            return Answer(ended.status, ended.body, dict(ended.headers))
        return Answer(kong.status, kong.response_body, dict(kong.response_headers))

    async def answer_from_upstream(self, kong: FakeKong) -> None:
        self.asked += 1
        changes = {name.lower(): value for name, value in kong.upstream.items() if name != "?"}
        reaching = {name: value for name, value in {**kong.headers, **changes}.items() if value is not None}
        query = kong.upstream.get("?", kong.path.partition("?")[2])
        said = self.upstream(reaching, str(query))
        kong.status, kong.response_body = said.status, said.body if kong.method != "HEAD" else b""
        kong.response_headers = dict(said.headers)


def saying(body: bytes = b"{}", status: int = 200, **headers: Any) -> Upstream:
    named = {"cache-tag": "products", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return lambda _, __: Answer(status, body, dict(named))
