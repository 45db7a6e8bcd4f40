"""Logs as one JSON object a line on stderr, each with the request and trace that it belongs to."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.chassis import request_context

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """Whatever a call passes as `extra` becomes a member of the line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        context = request_context.current.get()
        if context is not None:
            line |= {
                "request_id": context.request_id,
                "trace_id": context.trace_id,
                "span_id": context.span_id,
            }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure(service: str, level: str) -> None:
    """Takes over all logging of the process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Each request is logged once, by the middleware that knows its ids; these would say it again.
    for chatty in ("uvicorn.access", "aiohttp.access", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
