"""One service as a source: a deadline for each call, a circuit breaker over all of them, answers checked by type."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import msgspec
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from common.http_client import CallFailed, HttpClient
from common.json_errors import UNREADABLE
from services.bff.application.gathering import CallerRefused, SourceEmpty, SourceFailed

T = TypeVar("T")

FAILURES_TO_OPEN = 5
OPEN_FOR_S = 2.0
"""Short, as a trial costs one request at most its deadline, and a recovered service should be seen at once."""


class Source:
    """`deadline` is in seconds. Reads only: a GET may be repeated by the pool when a kept connection was closed."""

    def __init__(self, name: str, client: HttpClient, base_url: str, *, deadline: float) -> None:
        self._name = name
        self._client = client
        self._base_url = base_url
        self._deadline = deadline
        # A caller who goes away says nothing about the source, nor does an answer about the caller.
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=FAILURES_TO_OPEN,
            default_ttl=OPEN_FOR_S,
            exclude=[asyncio.CancelledError, SourceEmpty, CallerRefused],
        )
        self._breaker: AbstractAsyncContextManager[object] | None = None

    async def get(self, path: str, token: str | None, kind: type[T]) -> T:
        """The answer as `kind`, on behalf of the token's caller; None for what is for everybody.

        Raises SourceFailed, SourceEmpty on 403 and 404, CallerRefused on 401.
        """
        if self._breaker is None:
            self._breaker = await self._breakers.get_breaker(self._name)
        try:
            async with self._breaker:
                return await self._fetch(path, token, kind)
        except OpenedState as opened:
            # The breaker raises one and the same object each time, which would gather tracebacks.
            opened.__traceback__ = None
            raise SourceFailed(f"{self._name} has been failing") from None

    async def _fetch(self, path: str, token: str | None, kind: type[T]) -> T:
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = await self._client.call(
                "GET",
                self._base_url + path,
                timeout=self._deadline,
                headers=headers,
            )
        except CallFailed as fault:
            raise SourceFailed(f"{self._name}: {fault}") from fault
        if answer.status == 401:
            raise CallerRefused(f"{self._name} refused the access token")
        if answer.status in {403, 404}:  # as for a guest, who has no account
            raise SourceEmpty(f"{self._name} has nothing")
        if answer.status != 200:
            raise SourceFailed(f"{self._name}: status {answer.status}")
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except UNREADABLE as fault:
            raise SourceFailed(f"{self._name}: an answer that cannot be read: {fault}") from fault
