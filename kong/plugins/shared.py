"""Resources that configurations of a plugin share in one process, such as the connection to the same Redis."""

from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=AbstractAsyncContextManager[object])


class Shared(Generic[K, V]):
    """Resources by key: made and entered for the first user, left when the last one has gone."""

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._in_use: dict[K, tuple[V, int]] = {}

    @asynccontextmanager
    async def use(self, key: K) -> AsyncIterator[V]:
        """The resource of `key`, entered."""
        resource, users = self._in_use.get(key) or (self._make(key), 0)
        self._in_use[key] = (resource, users + 1)
        try:
            if users == 0:
                await resource.__aenter__()
            yield resource
        finally:
            resource, users = self._in_use.pop(key)
            if users > 1:
                self._in_use[key] = (resource, users - 1)
            else:
                await resource.__aexit__(None, None, None)
