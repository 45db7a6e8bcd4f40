"""Failures in one process' memory, for tests of what is built upon them."""

import math
from collections.abc import Iterable

from services.auth.domain.throttling import Subject


class InMemoryThrottle:
    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float]] = {}
        self._familiar: dict[tuple[str, str], float] = {}
        self._estranged: dict[str, float] = {}

    async def familiar(self, account: str, network: str) -> bool:
        return self._familiar.get((account, network), -1) >= self._estranged.get(account, 0)

    async def remember(self, account: str, network: str, now: float) -> None:
        self._familiar[account, network] = now

    async def estrange(self, account: str, now: float) -> None:
        self._estranged[account] = now

    async def wait(self, subjects: Iterable[Subject], now: float) -> int:
        left = [
            subject.limit.left(*self._failures[subject.key], now)
            for subject in subjects
            if subject.key in self._failures
        ]
        return math.ceil(max(left, default=0.0))

    async def failed(self, subjects: Iterable[Subject], now: float) -> None:
        for subject in subjects:
            failures, last = self._failures.get(subject.key, (0, now))
            failures = 0 if now >= last + subject.limit.window else failures
            self._failures[subject.key] = (failures + 1, now)

    async def forget(self, subjects: Iterable[Subject]) -> None:
        for subject in subjects:
            self._failures.pop(subject.key, None)
