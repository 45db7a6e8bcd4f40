"""Logs: one JSON object a line on stderr, with the request's id, and never a query, a cookie or a body."""

import asyncio
import logging
import os
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

import msgspec

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


class JsonFormatter(logging.Formatter):
    """Whatever a call passes in `extra` becomes a member of its own."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        current = request_id.get()
        if current is not None:
            line["request_id"] = current
        line.update({name: value for name, value in vars(record).items() if name not in _PLAIN})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class BatchHandler(logging.StreamHandler[TextIO]):
    """Writes the lines of one moment together: a write for each took a sixth of a request's time.

    For a stream that buffers. Lines wait at most `DELAY_S`; from WARNING on, and outside of the event loop, not at all.
    """

    DELAY_S = 0.05

    _urgent = False
    _scheduled = False

    def emit(self, record: logging.LogRecord) -> None:
        self._urgent = record.levelno >= logging.WARNING
        super().emit(record)

    def flush(self) -> None:
        try:
            loop = None if self._urgent else asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None:
            super().flush()
        elif not self._scheduled:
            self._scheduled = True
            loop.call_later(self.DELAY_S, self._flush_late)

    def _flush_late(self) -> None:
        self._scheduled = False
        super().flush()


def configure(level: str) -> None:
    """Sends every logger of the process, uvicorn's too, through one handler."""
    # Where a line was logged from, and in which thread, is in no line of ours.
    logging._srcfile = None  # documented in logging's howto, "Optimization"
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    stderr = os.fdopen(sys.stderr.fileno(), "w", 65536, "utf-8", closefd=False)
    handler = BatchHandler(stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "litestar"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    # The edge writes its own line for a request: uvicorn's holds the query, where mailed tokens are.
    logging.getLogger("uvicorn.access").disabled = True
