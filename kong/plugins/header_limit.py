"""Kong tells a plugin of so many headers and leaves out the rest without a word: what plugins have added comes last."""

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
