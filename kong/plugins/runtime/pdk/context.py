"""`kong.client`, `kong.ctx`, `kong.nginx`, `kong.node`, `kong.router` and `kong.log`."""

from __future__ import annotations

from kong.plugins.runtime import entities, messages
from kong.plugins.runtime.frames import EMPTY, frame
from kong.plugins.runtime.messages import Value
from kong.plugins.runtime.pdk.calls import Event, Question, call, named

# A method as Kong reads it: the frame of its name, and of the empty argument where it takes none.
_CLIENT_GET_FORWARDED_IP = frame(b"kong.client.get_forwarded_ip") + EMPTY
_CLIENT_GET_FORWARDED_PORT = frame(b"kong.client.get_forwarded_port") + EMPTY
_CLIENT_GET_IP = frame(b"kong.client.get_ip") + EMPTY
_CLIENT_GET_PORT = frame(b"kong.client.get_port") + EMPTY
_CTX_SHARED_GET = frame(b"kong.ctx.shared.get")
_CTX_SHARED_SET = frame(b"kong.ctx.shared.set")
_LOG_CRIT = frame(b"kong.log.crit")
_LOG_DEBUG = frame(b"kong.log.debug")
_LOG_ERR = frame(b"kong.log.err")
_LOG_INFO = frame(b"kong.log.info")
_LOG_NOTICE = frame(b"kong.log.notice")
_LOG_WARN = frame(b"kong.log.warn")
_NODE_GET_ID = frame(b"kong.node.get_id") + EMPTY
_ROUTER_GET_ROUTE = frame(b"kong.router.get_route") + EMPTY
_ROUTER_GET_SERVICE = frame(b"kong.router.get_service") + EMPTY
_NGINX_GET_VAR = frame(b"kong.nginx.get_var")
_NGINX_REQ_START_TIME = frame(b"kong.nginx.req_start_time") + EMPTY


class Client:
    """`kong.client`: the other end of the client's connection."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get_ip(self) -> Question[str]:
        """The address of the connection's other end. Phases: certificate, rewrite, access, response."""
        return Question(self._event, _CLIENT_GET_IP, messages.text)

    def get_forwarded_ip(self) -> Question[str]:
        """The client's address, by `X-Forwarded-For` from trusted proxies. Phases: as `get_ip`."""
        return Question(self._event, _CLIENT_GET_FORWARDED_IP, messages.text)

    def get_port(self) -> Question[int]:
        """Phases: as `get_ip`."""
        return Question(self._event, _CLIENT_GET_PORT, messages.integer)

    def get_forwarded_port(self) -> Question[int]:
        """Phases: as `get_ip`."""
        return Question(self._event, _CLIENT_GET_FORWARDED_PORT, messages.integer)


class SharedContext:
    """`kong.ctx.shared`: values that live with the request, for every plugin. Phases: rewrite, access, response.

    False and None cannot be told apart in Kong: what was set as False is read as None.
    """

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get(self, key: str) -> Question[Value]:
        return Question(self._event, named(_CTX_SHARED_GET, key), messages.value)

    def set(self, key: str, value: Value) -> None:
        self._event.tell(call(_CTX_SHARED_SET, messages.encode_pair(key, value)))


class Context:
    """`kong.ctx`."""

    __slots__ = ("shared",)

    def __init__(self, event: Event) -> None:
        self.shared = SharedContext(event)


class Nginx:
    """`kong.nginx`."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get_var(self, name: str) -> Question[str | None]:
        """An nginx variable, such as `kong_request_id`; None if unknown. Phases: rewrite, access, response."""
        return Question(self._event, named(_NGINX_GET_VAR, name), messages.optional_text)

    def req_start_time(self) -> Question[float]:
        """When the request began, Unix seconds. Phases: rewrite, access, response."""
        return Question(self._event, _NGINX_REQ_START_TIME, messages.number)


class Node:
    """`kong.node`."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get_id(self) -> Question[str]:
        """The UUID of this Kong node. Phases: all."""
        return Question(self._event, _NODE_GET_ID, messages.text)


class Router:
    """`kong.router`. Phases of both methods: access, response.

    Kong fails the request where the entity does not fit its message: a route with `sources` or `destinations`.
    """

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get_route(self) -> Question[entities.Route | None]:
        return Question(self._event, _ROUTER_GET_ROUTE, entities.route)

    def get_service(self) -> Question[entities.Service | None]:
        return Question(self._event, _ROUTER_GET_SERVICE, entities.service)


class Log:
    """`kong.log`: a line in Kong's own log, parts joined. Phases: all. Costs a call each: keep it off hot paths."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def crit(self, *parts: Value) -> None:
        self._event.tell(call(_LOG_CRIT, messages.encode_list(parts)))

    def err(self, *parts: Value) -> None:
        self._event.tell(call(_LOG_ERR, messages.encode_list(parts)))

    def warn(self, *parts: Value) -> None:
        self._event.tell(call(_LOG_WARN, messages.encode_list(parts)))

    def notice(self, *parts: Value) -> None:
        self._event.tell(call(_LOG_NOTICE, messages.encode_list(parts)))

    def info(self, *parts: Value) -> None:
        self._event.tell(call(_LOG_INFO, messages.encode_list(parts)))

    def debug(self, *parts: Value) -> None:
        self._event.tell(call(_LOG_DEBUG, messages.encode_list(parts)))
