"""One JSON object a line on stderr, with the names of the Elastic Common Schema (https://www.elastic.co/docs/reference/ecs)."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LONGEST_TRACE = 8192
_NAMES = {"cause": "error.message", "error": "error.type", "path": "url.path", "status": "process.exit_code"}
"""What calls pass as `extra`; any other is below `plugin.`."""


class JsonLines(logging.Formatter):
    """Time, level, logger, message; what the call gave as `extra`; the traceback of an exception, its end first cut."""

    def __init__(self, plugin: str) -> None:
        super().__init__()
        self._plugin = plugin

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "log.level": record.levelname.lower(),
            "service.name": self._plugin,
            "log.logger": record.name,
            "process.pid": record.process,
            "message": record.getMessage(),
        }
        line |= {
            _NAMES.get(key) or f"plugin.{key}": value
            for key, value in vars(record).items()
            if key not in _KNOWN
        }
        if record.exc_info and record.exc_info[1]:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
            line["error.type"] = type(record.exc_info[1]).__name__
            line["error.stack_trace"] = trace[-_LONGEST_TRACE:]
        return json.dumps(line, default=str)


def configure(plugin: str, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(plugin))
    logging.basicConfig(level=level, handlers=[handler], force=True)
