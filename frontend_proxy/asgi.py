"""The ASGI types of the streaming parts (asgi.readthedocs.io, HTTP 2.3): plain mappings, as a server makes
them."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ABORT = "gatehouse.abort"
"""Our extension of the scope: `abort()` drops the connection with whatever is unsent."""
OVERLOADED = "gatehouse.overloaded"
"""Our extension of the scope: present where more connections are open than are served."""
App = Callable[[Scope, Receive, Send], Awaitable[None]]
