"""The stand-in's access log: the line that kong/access-log.conf has Kong write."""

import json
import time
from datetime import UTC, datetime

from devstack.gateway.exchange import Exchange


def line(exchange: Exchange, now: float) -> str:
    """One JSON object. `now` in seconds since the epoch. No query and no header, since tokens may be in them."""
    answer = exchange.answer
    request_id = answer.headers.get("X-Request-Id") if answer is not None else None
    return json.dumps(
        {
            "@timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "log.level": "info",
            "service.name": "kong",
            "log.logger": "kong.access",
            "message": "request",
            "http.request.id": request_id or exchange.id,
            "trace.id": (exchange.headers.get("traceparent") or "")[3:35],
            "kong.request_id": exchange.id,
            "http.request.method": exchange.method,
            "url.path": exchange.target.partition("?")[0],
            "http.response.status_code": answer.status if answer is not None else 499,
            "event.duration": round((now - exchange.started) * 1e3) * 1_000_000,
            "client.ip": exchange.client[0],
        }
    )


def write(exchange: Exchange) -> None:
    print(line(exchange, time.time()), flush=True)
