"""Which order a message is about, read off the call that it makes. Pure."""

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
