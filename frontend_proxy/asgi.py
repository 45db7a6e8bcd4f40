"""ASGI's types (asgi.readthedocs.io, HTTP 2.3) and our extensions of the scope."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ABORT = "gatehouse.abort"
"""Extension of the scope: `abort()` drops the connection and what was not sent yet, `waits()` says whether a message
sent now would wait for the client to read."""
OVERLOADED = "gatehouse.overloaded"
"""Extension of the scope: set where more connections are open than are served."""
App = Callable[[Scope, Receive, Send], Awaitable[None]]
