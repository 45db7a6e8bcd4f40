"""New members without a pause, each under a key of its own until it is acknowledged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.e2e import people
from tests.e2e.callers import calling

CALLERS = 3
PAUSE = 0.01
"""Seconds between two calls of one caller."""


@dataclass(frozen=True)
class Acknowledged:
    """Moments of the steady clock, in seconds: of the last sending, and of its 201."""

    email: str
    sent: float
    at: float


@dataclass
class Load:
    acknowledged: list[Acknowledged] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    def first_after(self, moment: float) -> float:
        """When the first write that was sent after `moment` was acknowledged."""
        return min(each.at for each in self.acknowledged if each.sent > moment)


@contextmanager
def load(url: str, headers: Callable[[], Mapping[str, str]]) -> Iterator[Load]:
    """POSTs to `url` from several callers until the block ends; what has no answer by then is still insisted on."""
    found = Load()
    with httpx.Client(timeout=30) as client:

        def insist() -> None:
            body, key = people.new_member(), {"Idempotency-Key": people.new_key()}
            said = ""
            while said != "201":
                sent = time.monotonic()
                try:
                    answer = client.post(url, json=body, headers={**headers(), **key})
                    said = str(answer.status_code)
                except httpx.HTTPError as fault:
                    said = type(fault).__name__
                found.answers[said] += 1
                if said == "201":
                    found.acknowledged.append(Acknowledged(body["email"], sent, time.monotonic()))
                time.sleep(PAUSE)

        with calling(insist, CALLERS):
            yield found
