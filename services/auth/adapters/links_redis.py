"""Mailed links in Redis: `auth:link:<kind>:<digest>`, empty once it was taken.

Redis down: the call raises, and no link is given or taken.
"""

from collections.abc import Mapping
from importlib.resources import files

import msgspec
from coredis import PureToken, Redis

_TAKEN_FOR = 4 * 86400
"""Seconds for which nothing is put in a taken link's place: longer than its mail is tried (mail_target.py)."""


class RedisLinks:
    def __init__(self, client: Redis[bytes]) -> None:
        self._client = client
        script = files("services.auth.adapters").joinpath("scripts", "put_link.lua")
        self._put = client.register_script(script.read_text("utf-8"))

    async def put(self, kind: str, digest: str, content: Mapping[str, str], lifetime: int) -> bool:
        return bool(await self._put([_key(kind, digest)], [msgspec.json.encode(dict(content)), lifetime]))

    async def look(self, kind: str, digest: str) -> Mapping[str, str] | None:
        return _content(await self._client.get(_key(kind, digest)))

    async def take(self, kind: str, digest: str) -> Mapping[str, str] | None:
        key = _key(kind, digest)
        return _content(await self._client.set(key, b"", condition=PureToken.XX, get=True, ex=_TAKEN_FOR))


def _content(found: bytes | None) -> Mapping[str, str] | None:
    return msgspec.json.decode(found, type=dict[str, str]) if found else None


def _key(kind: str, digest: str) -> str:
    return f"auth:link:{kind}:{digest}"
