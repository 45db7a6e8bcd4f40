"""What every request has to pass before its handler: who is asking, and parameters that are what they say.

A middleware and no guards of the framework, which copies the handler for each guard of each request.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send


class Check(Protocol):
    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler, /
    ) -> None:
        """Raises where the request may not go on."""


class Admission:
    """Around each route's handler, whatever it declares: nothing below the app can leave it out."""

    def __init__(self, app: ASGIApp, checks: Sequence[Check]) -> None:
        self._app = app
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            raise RuntimeError(f"no service here serves {scope['type']}")  # and no check knows how to
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope, receive, send)
        for check in self._checks:
            await check(connection, scope["route_handler"])
        await self._app(scope, receive, send)
