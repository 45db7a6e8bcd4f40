"""Callers that go on for as long as a block runs, and what they were answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx


@contextmanager
def calling(call: Callable[[], object], callers: int) -> Iterator[None]:
    """`call` again and again, from several threads at once, until the block ends; then each call is waited for.

    What a call raises ends its caller, and is raised at the end.
    """
    stop = threading.Event()

    def again_and_again() -> None:
        while not stop.is_set():
            call()

    with ThreadPoolExecutor(callers) as pool:
        running = [pool.submit(again_and_again) for _ in range(callers)]
        try:
            yield
        finally:
            stop.set()
            for caller in running:
                caller.result()


class Answers:
    """What the callers got: how many, and each one that was not 201 (its body, or the error's name)."""

    def __init__(self) -> None:
        self.count = 0
        self.failed: list[str] = []

    def of(self, call: Callable[[], httpx.Response]) -> None:
        """Of one call more."""
        try:
            answer = call()
            failure = "" if answer.status_code == 201 else f"{answer.status_code} {answer.text}"
        except httpx.HTTPError as fault:
            failure = repr(fault)
        self.count += 1
        if failure:
            self.failed.append(failure)
