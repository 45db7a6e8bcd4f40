"""kong/plugins/rate-limiting, policy `local`: so many requests in a window of the clock, counted in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from devstack.gateway import pdk
from devstack.gateway.exchange import Exchange, Exit
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.plugins import Attachment

WINDOWS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "month": 30 * 86_400,
    "year": 365 * 86_400,
}
"""As long as Kong says that they are, in `RateLimit-Reset`; those of a month and a year begin with the calendar's."""
KEPT = 10_000
"""Callers that are counted at most; the oldest are forgotten."""


class RateLimiting(Attachment):
    name = "rate-limiting"
    priority = 910

    def __init__(
        self, config: Mapping[str, Any], own: OwnAnswers, clock: Callable[[], float] = time.time
    ) -> None:
        self._limits = {period: int(config[period]) for period in WINDOWS if config.get(period)}
        self._by = str(config["limit_by"])
        self._header = str(config.get("header_name") or "")
        self._path = str(config.get("path") or "")
        self._hidden = bool(config["hide_client_headers"])
        self._refusal = (int(config["error_code"]), str(config["error_message"]))
        self._own = own
        self._clock = clock
        self._counted: dict[tuple[str, str, int], int] = {}

    async def access(self, exchange: Exchange) -> None:
        now, caller = self._clock(), self._caller(exchange)
        left = {
            period: limit - self._counted.get(self._key(caller, period, now), 0)
            for period, limit in self._limits.items()
        }
        full = [period for period, remaining in left.items() if remaining <= 0]
        told = {} if self._hidden else self._told(left, full, now)
        exchange.private[self.name] = told
        if full:
            refusal = self._own.refused(exchange, *self._refusal)
            if "RateLimit-Reset" in told:
                told["Retry-After"] = told["RateLimit-Reset"]
            raise Exit(refusal)
        for period in self._limits:
            key = self._key(caller, period, now)
            self._counted[key] = self._counted.pop(key, 0) + 1
        for oldest in list(self._counted)[:-KEPT]:
            del self._counted[oldest]

    def header_filter(self, exchange: Exchange) -> None:
        if exchange.answer is not None:
            for name, value in exchange.private.get(self.name, {}).items():
                exchange.answer.headers.set(name, value)

    def _caller(self, exchange: Exchange) -> str:
        """Nobody is a consumer here, so that Kong counts by address then."""
        found = None
        if self._by == "service" and exchange.match:
            found = exchange.match.route.service.id
        elif self._by == "header":
            found = exchange.headers.get(self._header)
        elif self._by == "path" and exchange.path == self._path:
            found = exchange.path
        return found or pdk.forwarded_ip(exchange)

    def _told(self, left: Mapping[str, int], full: list[str], now: float) -> dict[str, str]:
        told: dict[str, str] = {}
        tightest: tuple[int, int, str] | None = None
        for period, remaining in left.items():
            shown = max(0, remaining - (1 if not full or period == full[-1] else 0))
            told[f"X-RateLimit-Limit-{period.title()}"] = str(self._limits[period])
            told[f"X-RateLimit-Remaining-{period.title()}"] = str(shown)
            if tightest is None or (shown, -WINDOWS[period]) < tightest[:2]:
                tightest = (shown, -WINDOWS[period], period)
        if tightest is not None:
            window = WINDOWS[tightest[2]]
            told["RateLimit-Limit"] = str(self._limits[tightest[2]])
            told["RateLimit-Remaining"] = str(tightest[0])
            told["RateLimit-Reset"] = str(max(1, window - (int(now) - _begin(tightest[2], now))))
        return told

    @staticmethod
    def _key(caller: str, period: str, now: float) -> tuple[str, str, int]:
        return caller, period, _begin(period, now)


def _begin(period: str, now: float) -> int:
    """Of the window that `now` is in."""
    if period in ("month", "year"):
        day = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return int((day if period == "month" else day.replace(month=1)).timestamp())
    return int(now) - int(now) % WINDOWS[period]
