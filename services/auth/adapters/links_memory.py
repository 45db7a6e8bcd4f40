"""Mailed links in one process' memory, for tests of what is built upon them."""

from collections.abc import Mapping


class MemoryLinks:
    def __init__(self) -> None:
        self._links: dict[tuple[str, str], Mapping[str, str]] = {}

    async def put(self, kind: str, digest: str, content: Mapping[str, str], lifetime: int) -> None:
        self._links[kind, digest] = content

    async def look(self, kind: str, digest: str) -> Mapping[str, str] | None:
        return self._links.get((kind, digest))

    async def take(self, kind: str, digest: str) -> Mapping[str, str] | None:
        return self._links.pop((kind, digest), None)
