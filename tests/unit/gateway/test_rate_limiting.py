"""rate-limiting as the stand-in plays it; tests/e2e/test_rate_limits.py asks the same of Kong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from devstack.gateway import bundled
from devstack.gateway.entities import ConfigError
from devstack.gateway.exchange import Exchange, Exit
from devstack.gateway.headers import Headers
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.plugin_schema import completed
from devstack.gateway.rate_limiting import RateLimiting


class Limited:
    def __init__(self, **config: Any) -> None:
        self.now = 1_000_020.25
        whole = completed("rate-limiting", bundled.SCHEMAS["rate-limiting"], config)
        self.plugin = RateLimiting(whole, OwnAnswers({}), lambda: self.now)

    async def ask(
        self, user: str = "kim", address: str = "10.0.0.1", path: str = "/"
    ) -> tuple[int, dict[str, str]]:
        headers = Headers([("X-User-Id", user)] if user else [])
        exchange = Exchange("GET", path, path, None, 1.1, headers, b"", (address, 1), 8000)
        try:
            await self.plugin.access(exchange)
        except Exit as refused:
            exchange.answer = refused.answer
            self.plugin.header_filter(exchange)
            return refused.answer.status, dict(refused.answer.headers)
        return 200, exchange.private["rate-limiting"]


async def test_refuses_what_is_over_the_limit_until_the_next_window() -> None:
    limited = Limited(second=2, minute=3, limit_by="header", header_name="X-User-Id")
    assert [(await limited.ask())[0] for _ in range(3)] == [200, 200, 429]
    assert (await limited.ask("lee"))[0] == 200
    limited.now += 1
    assert [(await limited.ask())[0] for _ in range(2)] == [200, 429]  # the minute is full
    limited.now += 60
    assert (await limited.ask())[0] == 200


async def test_says_how_much_is_left_and_when_to_come_back() -> None:
    limited = Limited(second=2, minute=3, limit_by="header", header_name="X-User-Id")
    assert (await limited.ask())[1] == {
        "X-RateLimit-Limit-Second": "2",
        "X-RateLimit-Remaining-Second": "1",
        "X-RateLimit-Limit-Minute": "3",
        "X-RateLimit-Remaining-Minute": "2",
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "1",
        "RateLimit-Reset": "1",
    }
    for _ in range(2):
        limited.now += 1
        await limited.ask()
    status, told = await limited.ask()
    assert (status, told["Retry-After"], told["RateLimit-Remaining"]) == (429, "58", "0")


async def test_counts_by_address_where_nobody_is_named() -> None:
    limited = Limited(second=1, limit_by="header", header_name="X-User-Id", hide_client_headers=True)
    assert await limited.ask("") == (200, {})
    status, told = await limited.ask("")
    assert status == 429
    assert "Retry-After" not in told
    assert (await limited.ask("", "10.0.0.2"))[0] == 200


async def test_a_month_and_a_year_begin_with_the_calendars() -> None:
    limited = Limited(month=1, year=2, limit_by="ip")
    limited.now = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC).timestamp()
    status, told = await limited.ask()
    assert (status, told["X-RateLimit-Limit-Year"], told["RateLimit-Reset"]) == (200, "2", "1")
    assert (await limited.ask())[0] == 429
    limited.now += 1
    assert [(await limited.ask())[0] for _ in range(2)] == [200, 429]
    limited.now = datetime(2026, 12, 31, tzinfo=UTC).timestamp()
    assert (await limited.ask())[0] == 429
    limited.now = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    assert (await limited.ask())[0] == 200


async def test_one_path_is_counted_for_everybody_and_others_by_address() -> None:
    limited = Limited(minute=1, limit_by="path", path="/a")
    assert [(await limited.ask(address=each, path="/a"))[0] for each in ("10.0.0.1", "10.0.0.2")] == [
        200,
        429,
    ]
    assert [(await limited.ask(address=each, path="/b"))[0] for each in ("10.0.0.1", "10.0.0.2")] == [
        200,
        200,
    ]


def test_a_policy_that_it_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="policy"):
        Limited(second=1, policy="redis")
