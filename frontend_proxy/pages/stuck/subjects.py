"""What a message is about and what its receiver said, in short. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

_ORDER = re.compile(
    r"(?:PUT|POST) /internal/(?:orders|payments|reservations)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/.*)?"
)


def order_of(message: Mapping[str, Any]) -> str | None:
    """The order's id; None for a message about something else, as a mail or an account."""
    found = _ORDER.fullmatch(message["call"])
    return found[1] if found else None


def said(error: str) -> str:
    """A receiver's problem document (RFC 9457) as its status and sentence; anything else as it is."""
    status, _, body = error.partition(": ")
    try:
        problem = json.loads(body)
    except (ValueError, RecursionError):
        # Of a long answer only the beginning was kept; the sentence may be in it all the same.
        found = re.search(r'"detail":\s*"((?:[^"\\]|\\.)*)"', body)
        return f"{status}: {found[1]}" if found else error
    detail = problem.get("detail") or problem.get("title") if isinstance(problem, dict) else None
    return f"{status}: {detail}" if detail else error
