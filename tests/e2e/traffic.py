"""Requests without a pause, on kept connections, while something else happens to the stack."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

CLIENTS = 6


@contextmanager
def traffic(stack: Stack, admin: Tokens) -> Iterator[Counter[str]]:
    """Reads and keyed writes until the block ends; then what came of them, by status or by the exception's name.

    A failure is told with what was said of it: of one in thousands nothing else is left.
    """
    outcomes: Counter[str] = Counter()
    lock, ended = threading.Lock(), threading.Event()

    def client(number: int) -> None:
        with httpx.Client(base_url=stack.gateway_url, headers=admin.bearer, timeout=30) as session:
            while not ended.is_set():
                try:
                    if number % 2:
                        answer = session.get("/api/home")
                    else:
                        headers = {"Idempotency-Key": people.new_key()}
                        answer = session.post("/api/members", headers=headers, json=people.new_member())
                    outcome = (
                        str(answer.status_code)
                        if answer.is_success
                        else f"{answer.status_code} {answer.text}"
                    )
                except httpx.HTTPError as error:
                    outcome = type(error).__name__
                with lock:
                    outcomes[outcome] += 1

    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for each in clients:
        each.start()
    try:
        yield outcomes
    finally:
        ended.set()
        for each in clients:
            each.join()
