"""kong/plugins/proxy-cache, strategy `memory`: one answer for everybody whose request looks alike."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from devstack.gateway.exchange import Answer, Exchange, Exit, Source
from devstack.gateway.headers import Headers
from devstack.gateway.plugins import Attachment

KEPT = 1000
"""Answers at most; Kong has a shared dictionary of 128 MiB."""
_STATUS = "X-Cache-Status"
_NOT_KEPT = {"connection", "keep-alive", "transfer-encoding", "date", "age"}


class ProxyCache(Attachment):
    """Knows no tokens: its key is method, target and what the configuration names."""

    name = "proxy-cache"
    priority = 100
    needs_whole_response = True  # Kong collects the body as it goes by

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._methods = frozenset(config["request_method"])
        self._statuses = frozenset(config["response_code"])
        self._types = frozenset(_plain(text) for text in config["content_type"])
        self._ttl = float(config["cache_ttl"])
        self._control = bool(config["cache_control"])
        self._vary = tuple(config.get("vary_headers") or ())
        self._kept: dict[tuple[str, ...], tuple[float, Answer]] = {}

    async def access(self, exchange: Exchange) -> None:
        if not self._asked(exchange):
            exchange.private[_STATUS] = "Bypass"
            return
        stored, answer = self._kept.get(self._key(exchange), (0.0, None))
        age = time.time() - stored
        if answer is None or age > self._ttl:
            exchange.private[_STATUS] = "Miss"
            return
        headers = answer.headers.copy()
        headers.set("Age", str(int(age)))
        headers.set(_STATUS, "Hit")
        raise Exit(Answer(answer.status, headers, answer.body, Source.EXIT))

    async def response(self, exchange: Exchange) -> None:
        answer = exchange.answer
        if answer is None or exchange.private.get(_STATUS) != "Miss":
            return
        if not self._storable(answer):
            exchange.private[_STATUS] = "Bypass"
            return
        fields = Headers(field for field in answer.headers if field[0].lower() not in _NOT_KEPT)
        self._kept[self._key(exchange)] = (
            time.time(),
            Answer(answer.status, fields, answer.body, answer.source),
        )
        for oldest in list(self._kept)[:-KEPT]:
            del self._kept[oldest]

    def header_filter(self, exchange: Exchange) -> None:
        status = exchange.private.get(_STATUS)
        if status and exchange.answer is not None:
            exchange.answer.headers.set(_STATUS, status)

    def _asked(self, exchange: Exchange) -> bool:
        control = (exchange.headers.joined("Cache-Control") or "").lower() if self._control else ""
        return exchange.method in self._methods and "no-store" not in control and "no-cache" not in control

    def _storable(self, answer: Answer) -> bool:
        control = (answer.headers.joined("Cache-Control") or "").lower() if self._control else ""
        kind = _plain(answer.headers.get("Content-Type") or "")
        private = any(word in control for word in ("no-store", "no-cache", "private"))
        return answer.status in self._statuses and kind in self._types and not private

    def _key(self, exchange: Exchange) -> tuple[str, ...]:
        route = exchange.match.route.id if exchange.match else ""
        named = (f"{name}={exchange.headers.joined(name)}" for name in self._vary)
        return (route, exchange.method, exchange.path, exchange.query or "", *named)


def _plain(media_type: str) -> str:
    """For a comparison of types with their parameters: `text/plain` is not `text/plain; charset=utf-8`."""
    return media_type.replace(" ", "").lower()
