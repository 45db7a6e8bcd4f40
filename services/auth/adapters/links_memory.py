"""Mailed links in one process' memory, for tests of what is built upon them."""

from collections.abc import Mapping


class InMemoryLinks:
    def __init__(self) -> None:
        self._links: dict[tuple[str, str], Mapping[str, str] | None] = {}

    async def put(self, kind: str, digest: str, content: Mapping[str, str], lifetime: int) -> bool:
        if (kind, digest) in self._links and self._links[kind, digest] is None:  # it was taken
            return False
        self._links[kind, digest] = content
        return True

    async def look(self, kind: str, digest: str) -> Mapping[str, str] | None:
        return self._links.get((kind, digest))

    async def take(self, kind: str, digest: str) -> Mapping[str, str] | None:
        found = self._links.get((kind, digest))
        if found is not None:
            self._links[kind, digest] = None
        return found
