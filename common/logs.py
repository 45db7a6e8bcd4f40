"""Logs as one JSON object a line on stderr, each with the request and trace that it belongs to.

Names are those of the Elastic Common Schema (https://www.elastic.co/docs/reference/ecs), flat with dots; what it has no
name for is below `gatehouse.`. docs/observability.md lists them, and what the levels mean.
"""

import asyncio
import atexit
import logging
import os
import re
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import msgspec

from common import request_ids

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}

NAMES = {
    "action": "event.action",
    "actor": "user.id",
    "cause": "error.message",
    "client": "client.ip",
    "duration_ns": "event.duration",
    "error": "error.type",
    "event": "event.action",
    "method": "http.request.method",
    "path": "url.path",
    "request_id": "http.request.id",
    "status": "http.response.status_code",
}
"""What calls pass as `extra`, in ECS' words. kong/plugins/runtime/logs.py and kong/access-log.conf say the same."""
OWN = "gatehouse."

_VALUES = re.compile(
    r"(?:\nDETAIL:|(?<=invalid input for query argument \$[0-9]):|(?<=invalid input for query argument \$[0-9]{2}):)"
    r".*?(?=\nHINT:|\n\n(?:During handling of|The above exception)|\Z)",
    re.DOTALL,
)
"""In the text of PostgreSQL's and its driver's errors: the values of a row or an argument, which may be somebody's name
or address. What was wrong stands before them."""


class JsonFormatter(logging.Formatter):
    """Whatever a call passes as `extra` becomes a member of the line, by the name that `NAMES` has for it."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's own name
        return _VALUES.sub("", super().formatException(ei))

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "log.level": record.levelname.lower(),
            "service.name": self._service,
            "log.logger": record.name,
            "message": record.getMessage(),
        }
        ids = request_ids.current.get()
        if ids is not None:
            line["http.request.id"] = ids.request_id
            line["trace.id"] = ids.trace_id
            line["span.id"] = ids.span_id
        for key, value in vars(record).items():
            if key not in _STANDARD:
                line[NAMES.get(key) or OWN + key] = value
        if record.exc_info:
            line["error.stack_trace"] = self.formatException(record.exc_info)
            if record.exc_info[0] is not None:
                line["error.type"] = record.exc_info[0].__name__
        return msgspec.json.encode(line, enc_hook=str).decode()


class LineHandler(logging.Handler):
    """Writes lines to a file descriptor, those of one moment together: a write for each would be a tenth of a request.

    INFO lines wait at most `DELAY_S` for company; anything worse, evidence (a logger named `….audit`), and what is
    logged outside the event loop, is written at once with all that waits before it.
    """

    DELAY_S = 0.05

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: list[str] = []
        self._scheduled = False

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        at_once = record.levelno >= logging.WARNING or record.name.endswith(".audit")
        if at_once or not self._schedule():
            self.flush()

    def flush(self) -> None:
        self._scheduled = False
        with self.lock or nullcontext():
            lines, self._lines = self._lines, []
            rest = memoryview("".join(f"{line}\n" for line in lines).encode())
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def _schedule(self) -> bool:
        if self._scheduled:
            return True
        try:
            asyncio.get_running_loop().call_later(self.DELAY_S, self.flush)
        except RuntimeError:
            return False
        self._scheduled = True
        return True


def configure(service: str, level: str) -> None:
    """Takes over all logging of the process."""
    # Where a line was logged from, and in which thread, is in no line of ours and costs more than all the rest.
    logging._srcfile = None  # documented in logging's howto, "Optimization"
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = LineHandler(sys.stderr.fileno())
    atexit.register(handler.flush)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Each request is logged once, by the middleware that knows its ids; these would say it again. coredis reports the
    # first use of each script as an error and a retry.
    for chatty in ("uvicorn.access", "aiohttp.access", "asyncio", "coredis"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
