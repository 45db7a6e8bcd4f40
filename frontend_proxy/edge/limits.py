"""Limits on what one request may cost: the size of its body, and how long the client may pause."""

import asyncio
from collections.abc import Callable

from frontend_proxy.asgi import ABORT, Message, Receive, Scope, Send
from frontend_proxy.cookies import Header
from frontend_proxy.edge import admission
from frontend_proxy.edge.security_headers import Origins, secured
from frontend_proxy.problems import Problem
from frontend_proxy.settings import Settings

LONGEST_BODY_S = 300.0
"""Seconds that a whole body may take. Bounded by its pauses alone, one of a byte now and then takes days."""


class BoundedBody:
    """Receives a request body, with a limit on its size, on each pause and on all of it."""

    def __init__(self, receive: Receive, settings: Settings) -> None:
        self._receive = receive
        self._left = settings.max_body
        self._settings = settings
        self._more = True
        self._ends = asyncio.get_running_loop().time() + LONGEST_BODY_S

    async def receive(self) -> Message:
        """Raises Problem 408 for a client that pauses or sends too long, 413 for a body over the limit."""
        try:
            # After the end of the body this waits for the client to disconnect, for which there is no deadline.
            async with asyncio.timeout_at(self._deadline() if self._more else None):
                message = await self._receive()
        except TimeoutError as fault:
            raise Problem(408, "", "The request body did not arrive in time.", close=True) from fault
        if message["type"] == "http.request":
            self._more = message.get("more_body", False)
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise admission.too_large(self._settings.max_body)
        return message

    def _deadline(self) -> float:
        return min(asyncio.get_running_loop().time() + self._settings.client_timeout, self._ends)


class BoundedResponse:
    """Sends a response with the site's headers, and a limit on how long the client may take to read it."""

    def __init__(self, send: Send, scope: Scope, request_id: str, settings: Settings, cdn: Origins) -> None:
        self._send = send
        self.path: str = scope["path"]
        connection = scope.get("extensions", {}).get(ABORT, {})
        self._abort: Callable[[], None] = connection.get("abort", _nothing)
        self._waits: Callable[[], bool] = connection.get("waits", _perhaps)
        self._request_id = request_id
        self._settings = settings
        self._cdn = cdn
        self.status = 0

    async def send(self, message: Message) -> None:
        """Drops the connection and raises Problem where the client does not read the response in time."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept: list[Header] = [*message["headers"], (b"x-request-id", self._request_id.encode())]
            message["headers"] = secured(
                kept, self.path, production=self._settings.production, origins=self._cdn
            )
        if not self._waits():
            await self._send(message)
            return
        try:
            async with asyncio.timeout(self._settings.client_timeout):
                await self._send(message)
        except TimeoutError as fault:
            self._abort()
            raise Problem(408, "", "The answer was not taken in time.", close=True) from fault

    @property
    def of_api(self) -> bool:
        return f"{self.path}/".startswith("/api/")

    async def refuse(self, problem: Problem, media_type: str, body: bytes) -> None:
        """Sends `problem`. Raises it where a response has begun: then the connection has to break."""
        if self.status:
            raise problem
        headers: list[Header] = [(b"content-type", media_type.encode()), (b"vary", b"Accept")]
        headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        headers += problem.cookies
        if problem.close:
            headers.append((b"connection", b"close"))
        headers.append((b"content-length", str(len(body)).encode()))
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _nothing() -> None:
    """For servers that do not offer to drop the connection."""


def _perhaps() -> bool:
    """For servers that do not say whether they wait for the client."""
    return True
