"""Mailed links in Redis: `auth:link:<kind>:<digest>`.

Redis down: the call raises, and no link is given or taken.
"""

from collections.abc import Mapping

import msgspec
from coredis import Redis


class RedisLinks:
    def __init__(self, client: Redis[bytes]) -> None:
        self._client = client

    async def put(self, kind: str, digest: str, content: Mapping[str, str], lifetime: int) -> None:
        await self._client.set(_key(kind, digest), msgspec.json.encode(dict(content)), ex=lifetime)

    async def look(self, kind: str, digest: str) -> Mapping[str, str] | None:
        return _content(await self._client.get(_key(kind, digest)))

    async def take(self, kind: str, digest: str) -> Mapping[str, str] | None:
        return _content(await self._client.getdel(_key(kind, digest)))


def _content(found: bytes | None) -> Mapping[str, str] | None:
    return None if found is None else msgspec.json.decode(found, type=dict[str, str])


def _key(kind: str, digest: str) -> str:
    return f"auth:link:{kind}:{digest}"
