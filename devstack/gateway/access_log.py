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
            "time": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "level": "INFO",
            "logger": "kong.access",
            "message": "request",
            "request_id": request_id or exchange.id,
            "kong_request_id": exchange.id,
            "method": exchange.method,
            "path": exchange.target.partition("?")[0],
            "status": answer.status if answer is not None else 499,
            "duration_s": round(now - exchange.started, 3),
            "client": exchange.client[0],
        }
    )


def write(exchange: Exchange) -> None:
    print(line(exchange, time.time()), flush=True)
