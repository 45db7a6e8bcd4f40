"""The framework's request, but for a body that is nested so deeply that the decoder gives up."""

from typing import Any

from litestar import Request
from litestar.exceptions import SerializationException


class BodyRequest(Request[Any, Any, Any]):
    async def json(self) -> Any:
        try:
            return await super().json()
        except RecursionError as fault:
            # No DecodeError for the decoder, but a malformed body all the same for whoever sent 100,000 brackets.
            raise SerializationException("JSON is malformed: nested too deeply") from fault
