"""A log line for a person to read: files keep it as JSON, a terminal shows time, level, what happened, and the names to
look for. Pure."""

from __future__ import annotations

import json
from typing import Any

_SHOWN = ("@timestamp", "log.level", "service.name", "log.logger", "message", "span.id", "process.pid")
"""Members that have a place of their own, or none."""
_REQUEST = ("http.request.method", "url.path", "http.response.status_code", "event.duration")
_SHORT = {"trace.id": "trace", "http.request.id": "id", "error.message": "because"}


def readable(line: str) -> str:
    """`line` as it stands in a log, with the part's name before it or without; what is no JSON of ours is left."""
    before, brace, rest = line.partition("{")
    if not brace or (before and not before.endswith("| ")):
        return line
    try:
        members = json.loads(brace + rest)
    except (ValueError, RecursionError):
        return line
    if not isinstance(members, dict) or "@timestamp" not in members:
        return line
    return before + "\n".join(map(_plain, _told(members))) + ("\n" if line.endswith("\n") else "")


def _plain(row: str) -> str:
    """Without what moves a terminal's cursor or begins another line: a path is a stranger's text, decoded."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "backslashreplace").decode()
        for each in row
    )


def _told(members: dict[str, Any]) -> list[str]:
    """A line, and below it those of a stack trace."""
    time = str(members["@timestamp"])[11:23].partition("+")[0]
    words = [time, _level(members).ljust(5)]
    words.append(_request(members) or str(members.get("message", "")))
    words += [
        f"{_SHORT.get(name, name.removeprefix('gatehouse.'))}={value}"
        for name, value in members.items()
        if name not in (*_SHOWN, *_REQUEST, "error.stack_trace") and value not in ("", None)
    ]
    trace = str(members.get("error.stack_trace", ""))
    return [" ".join(words), *(f"    {row}" for row in trace.splitlines())]


def _level(members: dict[str, Any]) -> str:
    level = str(members.get("log.level", "")).upper()
    return "WARN" if level == "WARNING" else level


def _request(members: dict[str, Any]) -> str:
    if members.get("message") != "request" or any(name not in members for name in _REQUEST):
        return ""
    method, path, status, duration = (members[name] for name in _REQUEST)
    return f"{method} {path} {status} {duration / 1e6:.1f} ms"
