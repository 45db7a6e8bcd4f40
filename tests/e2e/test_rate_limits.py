"""What one shopper may ask of the gateway in a second; nobody else is slower for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.e2e.checkouts import Shopper
from tests.e2e.stack import Stack

BURST = 100
MOST_BURSTS = 10
"""A slow machine needs more of them: then the minute is full before a second is."""


def test_one_shoppers_burst_is_refused_and_nobody_elses(stack: Stack) -> None:
    greedy, other = Shopper(stack), Shopper(stack)
    refused: list[httpx.Response] = []
    url = f"{stack.gateway_url}/api/cart"
    with ThreadPoolExecutor(16) as callers:
        for _ in range(MOST_BURSTS):
            # A name of its own choice does not make another shopper of it.
            forged = [{**greedy.headers, "X-User-Id": f"somebody-{number}"} for number in range(BURST)]
            answers = list(callers.map(lambda headers: httpx.get(url, headers=headers, timeout=30), forged))
            late = [answer for answer in answers if answer.status_code == 503]
            # A machine that stands still for two seconds has lost sight of Redis or PostgreSQL: it says to come again.
            assert all("Retry-After" in answer.headers for answer in late), late[0].text
            told = [answer for answer in answers if answer not in late]
            assert {answer.status_code for answer in told} <= {200, 429}
            refused += [answer for answer in told if answer.status_code == 429]
            if refused:
                break
    problem = refused[0]
    assert other.call("GET", "/api/cart").status_code == 200
    assert problem.headers["Content-Type"].startswith("application/problem+json")
    assert (problem.json()["title"], problem.json()["detail"]) == (
        "Too Many Requests",
        "API rate limit exceeded",
    )
    assert 1 <= int(problem.headers["Retry-After"]) <= 60
