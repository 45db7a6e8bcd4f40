"""JSON that cannot be read, whatever the decoder raises for it: msgspec checks UTF-8 and depth by other errors than its
own, and who sends such a thing is at fault as for any other garbage.
"""

from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import SerializationException

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that decoding JSON raises."""


class ReadingRequest(Request[Any, Any, Any]):
    """The framework's request, which answers 400 to every body that cannot be read."""

    async def json(self) -> Any:
        try:
            return await super().json()
        except UNREADABLE as fault:
            raise SerializationException("the body cannot be read as JSON") from fault
