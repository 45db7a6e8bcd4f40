"""A steady stream of keyed POSTs at the gateway, for as long as a block runs."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from tests.e2e import people

CALLERS = 4


class Answers:
    """What the callers got: how many, and each one that was not 201 (its body, or the error's name)."""

    def __init__(self) -> None:
        self.count = 0
        self.failed: list[str] = []


@contextmanager
def keyed_posts(
    url: str, headers: Mapping[str, str], verify: ssl.SSLContext | bool = True
) -> Iterator[Answers]:
    """New members at `url`, each with a key of its own, from several callers at once until the block ends."""
    answers, stop = Answers(), threading.Event()

    def call() -> None:
        with httpx.Client(verify=verify, timeout=30) as client:
            while not stop.is_set():
                try:
                    answer = client.post(
                        url,
                        json=people.new_member(),
                        headers={**headers, "Idempotency-Key": people.new_key()},
                    )
                    failure = "" if answer.status_code == 201 else f"{answer.status_code} {answer.text}"
                except httpx.HTTPError as fault:
                    failure = repr(fault)
                answers.count += 1
                if failure:
                    answers.failed.append(failure)

    with ThreadPoolExecutor(CALLERS) as callers:
        running = [callers.submit(call) for _ in range(CALLERS)]
        try:
            yield answers
        finally:
            stop.set()
            for caller in running:
                caller.result()
