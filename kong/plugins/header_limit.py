"""Kong gives a plugin only the first hundred headers and does not say so. Those that other plugins added come last."""

from collections.abc import Mapping
from typing import Any

MOST = 100
"""Values, of a request or of an answer."""


def reached(headers: Mapping[str, Any]) -> bool:
    """Whether Kong may have left headers out."""
    count = len(headers)
    for value in headers.values():
        if isinstance(value, list | tuple):
            count += len(value) - 1
    return count >= MOST
