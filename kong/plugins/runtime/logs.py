"""One JSON object a line on stderr."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LONGEST_TRACE = 8192


class JsonLines(logging.Formatter):
    """Time, level, logger, message; what the call gave as `extra`; the traceback of an exception, its end first cut."""

    def __init__(self, plugin: str) -> None:
        super().__init__()
        self._plugin = plugin

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "plugin": self._plugin,
            "process": record.process,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _KNOWN}
        if record.exc_info and record.exc_info[1]:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
            line["exception"] = trace[-_LONGEST_TRACE:]
        return json.dumps(line, default=str)


def configure(plugin: str, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(plugin))
    logging.basicConfig(level=level, handlers=[handler], force=True)
