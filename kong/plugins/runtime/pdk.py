"""What a plugin's phase may ask of Kong: the PDK as typed methods.

A phase gets one `Kong` and uses it until it returns. Two kinds of method:

* Questions (`await kong.request.get_header("x")`) wait for Kong's answer: about 40 microseconds of Kong's time each.
  `await kong.gather(question, question, ...)` sends several in one write and waits once.
* Statements (`kong.service.request.set_headers({...})`, all setters, `kong.log`) are queued at once and go out with
  the next question or with the end of the phase. They return None and are not awaited. Kong carries them out in
  order and fails the request with 500 if it refuses one: a request goes upstream only if all were obeyed.

`kong.response.exit(...)` raises, so it ends the phase wherever it stands.

Text is UTF-8; bytes of a request that are not come as lone surrogates (`surrogateescape`) and go back unchanged.
Numbers from Kong's dynamic values (`ctx`, query arguments) are floats. Where Kong has no value the answer is None.
"Phases" in a docstring are those in which Kong 3.9 allows the call; in another one it fails the request with 500.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, NoReturn, Protocol, TypeAlias, TypeVar, overload

from kong.plugins.runtime import entities, messages
from kong.plugins.runtime.frames import EMPTY, frame
from kong.plugins.runtime.messages import BodyInFile, UriCaptures, Value

__all__ = ["BodyInFile", "Event", "HeaderValue", "Kong", "Question", "UriCaptures", "Value"]

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")

HeaderValue: TypeAlias = str | Sequence[str]
"""A sequence is the header repeated, in order."""


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
_REQUEST_GET_FORWARDED_HOST = frame(b"kong.request.get_forwarded_host") + EMPTY
_REQUEST_GET_FORWARDED_PORT = frame(b"kong.request.get_forwarded_port") + EMPTY
_REQUEST_GET_FORWARDED_SCHEME = frame(b"kong.request.get_forwarded_scheme") + EMPTY
_REQUEST_GET_HEADER = frame(b"kong.request.get_header")
_REQUEST_GET_HEADERS = frame(b"kong.request.get_headers")
_REQUEST_GET_HOST = frame(b"kong.request.get_host") + EMPTY
_REQUEST_GET_HTTP_VERSION = frame(b"kong.request.get_http_version") + EMPTY
_REQUEST_GET_METHOD = frame(b"kong.request.get_method") + EMPTY
_REQUEST_GET_PATH = frame(b"kong.request.get_path") + EMPTY
_REQUEST_GET_PATH_WITH_QUERY = frame(b"kong.request.get_path_with_query") + EMPTY
_REQUEST_GET_PORT = frame(b"kong.request.get_port") + EMPTY
_REQUEST_GET_QUERY = frame(b"kong.request.get_query")
_REQUEST_GET_QUERY_ARG = frame(b"kong.request.get_query_arg")
_REQUEST_GET_RAW_BODY = frame(b"kong.request.get_raw_body") + EMPTY
_REQUEST_GET_RAW_QUERY = frame(b"kong.request.get_raw_query") + EMPTY
_REQUEST_GET_SCHEME = frame(b"kong.request.get_scheme") + EMPTY
_REQUEST_GET_URI_CAPTURES = frame(b"kong.request.get_uri_captures") + EMPTY
_RESPONSE_ADD_HEADER = frame(b"kong.response.add_header")
_RESPONSE_CLEAR_HEADER = frame(b"kong.response.clear_header")
_RESPONSE_EXIT = frame(b"kong.response.exit")
_RESPONSE_GET_HEADER = frame(b"kong.response.get_header")
_RESPONSE_GET_HEADERS = frame(b"kong.response.get_headers")
_RESPONSE_GET_SOURCE = frame(b"kong.response.get_source") + EMPTY
_RESPONSE_GET_STATUS = frame(b"kong.response.get_status") + EMPTY
_RESPONSE_SET_HEADER = frame(b"kong.response.set_header")
_RESPONSE_SET_HEADERS = frame(b"kong.response.set_headers")
_RESPONSE_SET_STATUS = frame(b"kong.response.set_status")
_SERVICE_REQUEST_ADD_HEADER = frame(b"kong.service.request.add_header")
_SERVICE_REQUEST_CLEAR_HEADER = frame(b"kong.service.request.clear_header")
_SERVICE_REQUEST_SET_HEADER = frame(b"kong.service.request.set_header")
_SERVICE_REQUEST_SET_HEADERS = frame(b"kong.service.request.set_headers")
_SERVICE_REQUEST_SET_METHOD = frame(b"kong.service.request.set_method")
_SERVICE_REQUEST_SET_PATH = frame(b"kong.service.request.set_path")
_SERVICE_REQUEST_SET_QUERY = frame(b"kong.service.request.set_query")
_SERVICE_REQUEST_SET_RAW_BODY = frame(b"kong.service.request.set_raw_body")
_SERVICE_REQUEST_SET_RAW_QUERY = frame(b"kong.service.request.set_raw_query")
_SERVICE_REQUEST_SET_SCHEME = frame(b"kong.service.request.set_scheme")
_SERVICE_RESPONSE_GET_HEADER = frame(b"kong.service.response.get_header")
_SERVICE_RESPONSE_GET_RAW_BODY = frame(b"kong.service.response.get_raw_body") + EMPTY
_SERVICE_RESPONSE_GET_STATUS = frame(b"kong.service.response.get_status") + EMPTY
_SERVICE_SET_TARGET = frame(b"kong.service.set_target")
_SERVICE_SET_UPSTREAM = frame(b"kong.service.set_upstream")


@lru_cache(maxsize=1024)
def _named(method: bytes, name: str) -> bytes:
    return _call(method, messages.encode_text(name))


@lru_cache(maxsize=64)
def _bounded(method: bytes, count: int) -> bytes:
    return _call(method, messages.encode_integer(count))


def _call(method: bytes, argument: bytes) -> bytes:
    return method + frame(argument)


REQUEST_PATH = _REQUEST_GET_PATH
CORRELATION_ID = _named(_REQUEST_GET_HEADER, "x-request-id")
REQUEST_ID = _named(_NGINX_GET_VAR, "request_id")
"""Whole calls, for what the runtime itself asks of every request that it refuses."""


def exit_call(argument: bytes) -> bytes:
    return _call(_RESPONSE_EXIT, argument)


class Event(Protocol):
    """The event that a phase runs for. Every method raises `EventOverError` once it has ended."""

    def ask(self, questions: Sequence[Question[Any]]) -> Generator[Any, Any, tuple[Any, ...]]:
        """Send what is queued and these questions; suspend until all are answered; return the answers in order."""

    def tell(self, call: bytes) -> None:
        """Queue a statement: the frames of its method and argument."""

    def exit(self, call: bytes) -> NoReturn:
        """Queue `kong.response.exit` and unwind the phase."""


class Question(Awaitable[T], Generic[T]):
    """One PDK call with an answer; sent when awaited, or by `Kong.gather`. Await it once."""

    __slots__ = ("call", "decode", "event")

    def __init__(self, event: Event, call: bytes, decode: Callable[[bytes], T]) -> None:
        self.event = event
        self.call = call
        self.decode = decode

    def __await__(self) -> Generator[Any, Any, T]:
        answers = yield from self.event.ask((self,))
        answer: T = answers[0]
        return answer


class Request:
    """`kong.request`: the client's request."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get_method(self) -> Question[str]:
        """The method, upper case. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_METHOD, messages.text)

    def get_scheme(self) -> Question[str]:
        """`http` or `https`, of the connection to Kong. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_SCHEME, messages.text)

    def get_host(self) -> Question[str]:
        """The host without port, lower case. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_HOST, messages.text)

    def get_port(self) -> Question[int]:
        """The port that Kong was reached on. Phases: certificate, rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_PORT, messages.integer)

    def get_forwarded_scheme(self) -> Question[str]:
        """As `get_scheme`, or `X-Forwarded-Proto` from a trusted proxy. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_FORWARDED_SCHEME, messages.text)

    def get_forwarded_host(self) -> Question[str]:
        """As `get_host`, or `X-Forwarded-Host` from a trusted proxy. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_FORWARDED_HOST, messages.text)

    def get_forwarded_port(self) -> Question[int]:
        """As `get_port`, or `X-Forwarded-Port` from a trusted proxy. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_FORWARDED_PORT, messages.integer)

    def get_http_version(self) -> Question[float]:
        """1.0, 1.1 or 2.0. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_HTTP_VERSION, messages.number)

    def get_path(self) -> Question[str]:
        """The normalised path, without the query. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_PATH, messages.text)

    def get_path_with_query(self) -> Question[str]:
        """The path and query as the client sent them, not normalised. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_PATH_WITH_QUERY, messages.text)

    def get_raw_query(self) -> Question[str]:
        """The query without `?`, undecoded; empty if there is none. Phases: rewrite, access, response."""
        return Question(self._event, _REQUEST_GET_RAW_QUERY, messages.text)

    def get_query_arg(self, name: str) -> Question[str | None]:
        """The first value of a query argument; None if absent. Phases: rewrite, access, response.

        An argument without `=` is true in Kong and does not fit the answer's message: Kong fails the request.
        """
        return Question(self._event, _named(_REQUEST_GET_QUERY_ARG, name), messages.optional_text)

    def get_query(self, max_args: int = 100) -> Question[dict[str, Value]]:
        """The query arguments: a list where one repeats. At most 1000. Phases: rewrite, access, response."""
        return Question(self._event, _bounded(_REQUEST_GET_QUERY, max_args), messages.struct)

    def get_header(self, name: str) -> Question[str | None]:
        """The first value of a header, any case; None if absent. Phases: rewrite, access, response."""
        return Question(self._event, _named(_REQUEST_GET_HEADER, name), messages.optional_text)

    def get_headers(self, max_headers: int = 100) -> Question[dict[str, Value]]:
        """The headers in lower case, a list where one repeats; 1000 at most. Phases: rewrite, access, response."""
        return Question(self._event, _bounded(_REQUEST_GET_HEADERS, max_headers), messages.struct)

    def get_raw_body(self) -> Question[bytes | BodyInFile]:
        """The body; `BodyInFile` if it is over Kong's `client_body_buffer_size`. Phases: rewrite, access, response.

        Raises `BodyUnreadableError` if Kong cannot read it.
        """
        return Question(self._event, _REQUEST_GET_RAW_BODY, messages.raw_body)

    def get_uri_captures(self) -> Question[UriCaptures]:
        """What the route's regular expression captured. Phases: access, response."""
        return Question(self._event, _REQUEST_GET_URI_CAPTURES, messages.uri_captures)


class Response:
    """`kong.response`: what the client gets."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get_status(self) -> Question[int]:
        """The status as it stands. Phases: response."""
        return Question(self._event, _RESPONSE_GET_STATUS, messages.integer)

    def get_header(self, name: str) -> Question[str | None]:
        """The first value of a header; None if absent. Phases: response."""
        return Question(self._event, _named(_RESPONSE_GET_HEADER, name), messages.optional_text)

    def get_headers(self, max_headers: int = 100) -> Question[dict[str, Value]]:
        """The headers, names in lower case, a list where one repeats; the upstream's included. Phases: response."""
        return Question(self._event, _bounded(_RESPONSE_GET_HEADERS, max_headers), messages.struct)

    def get_source(self) -> Question[str]:
        """`service` if the upstream answered, `exit` if a plugin did, `error` if Kong did. Phases: response."""
        return Question(self._event, _RESPONSE_GET_SOURCE, messages.text)

    def set_status(self, status: int) -> None:
        """Phases: rewrite, access, response."""
        self._event.tell(_call(_RESPONSE_SET_STATUS, messages.encode_integer(status)))

    def set_header(self, name: str, value: str) -> None:
        """Phases: rewrite, access, response."""
        self._event.tell(_call(_RESPONSE_SET_HEADER, messages.encode_pair(name, value)))

    def add_header(self, name: str, value: str) -> None:
        """Phases: rewrite, access, response."""
        self._event.tell(_call(_RESPONSE_ADD_HEADER, messages.encode_pair(name, value)))

    def clear_header(self, name: str) -> None:
        """Phases: rewrite, access, response."""
        self._event.tell(_named(_RESPONSE_CLEAR_HEADER, name))

    def set_headers(self, headers: Mapping[str, HeaderValue]) -> None:
        """Set each header, over what was there. Phases: rewrite, access, response."""
        self._event.tell(_call(_RESPONSE_SET_HEADERS, messages.encode_struct(headers)))

    def exit(
        self, status: int, body: bytes | str = b"", headers: Mapping[str, HeaderValue] | None = None
    ) -> NoReturn:
        """Answer the client now; nothing goes upstream. Raises to end the phase. Phases: rewrite, access, response.

        In `response` it replaces the upstream's status and body.
        """
        self._event.exit(_call(_RESPONSE_EXIT, messages.encode_exit(status, body, headers)))


class ServiceRequest:
    """`kong.service.request`: what goes upstream. Phases of every method: rewrite, access."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def set_scheme(self, scheme: str) -> None:
        self._event.tell(_call(_SERVICE_REQUEST_SET_SCHEME, messages.encode_text(scheme)))

    def set_path(self, path: str) -> None:
        self._event.tell(_call(_SERVICE_REQUEST_SET_PATH, messages.encode_text(path)))

    def set_raw_query(self, query: str) -> None:
        self._event.tell(_call(_SERVICE_REQUEST_SET_RAW_QUERY, messages.encode_text(query)))

    def set_method(self, method: str) -> None:
        self._event.tell(_call(_SERVICE_REQUEST_SET_METHOD, messages.encode_text(method)))

    def set_query(self, arguments: Mapping[str, Value]) -> None:
        self._event.tell(_call(_SERVICE_REQUEST_SET_QUERY, messages.encode_struct(arguments)))

    def set_header(self, name: str, value: str) -> None:
        """Set a header, over what the client sent."""
        self._event.tell(_call(_SERVICE_REQUEST_SET_HEADER, messages.encode_pair(name, value)))

    def add_header(self, name: str, value: str) -> None:
        self._event.tell(_call(_SERVICE_REQUEST_ADD_HEADER, messages.encode_pair(name, value)))

    def clear_header(self, name: str) -> None:
        """Remove a header, every occurrence."""
        self._event.tell(_named(_SERVICE_REQUEST_CLEAR_HEADER, name))

    def set_headers(self, headers: Mapping[str, HeaderValue]) -> None:
        """Set each header, over what the client sent."""
        self._event.tell(_call(_SERVICE_REQUEST_SET_HEADERS, messages.encode_struct(headers)))

    def set_raw_body(self, body: bytes) -> None:
        self._event.tell(_call(_SERVICE_REQUEST_SET_RAW_BODY, messages.encode_content(body)))


class ServiceResponse:
    """`kong.service.response`: what the upstream answered. Phases of every method: response.

    Its `get_headers` is always empty over ProtoBuf:1 (a lazy table in Kong): use `kong.response.get_headers`.
    """

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get_status(self) -> Question[int]:
        return Question(self._event, _SERVICE_RESPONSE_GET_STATUS, messages.integer)

    def get_header(self, name: str) -> Question[str | None]:
        return Question(self._event, _named(_SERVICE_RESPONSE_GET_HEADER, name), messages.optional_text)

    def get_raw_body(self) -> Question[bytes]:
        return Question(self._event, _SERVICE_RESPONSE_GET_RAW_BODY, messages.content)


class Service:
    """`kong.service`: where the request goes."""

    __slots__ = ("_event", "request", "response")

    def __init__(self, event: Event) -> None:
        self._event = event
        self.request = ServiceRequest(event)
        self.response = ServiceResponse(event)

    def set_upstream(self, host: str) -> Question[bool]:
        """Balance over the named upstream; False if Kong has none of that name. Phases: access."""
        return Question(self._event, _named(_SERVICE_SET_UPSTREAM, host), messages.boolean)

    def set_target(self, host: str, port: int) -> None:
        """Send the request to this host and port. Phases: access."""
        self._event.tell(_call(_SERVICE_SET_TARGET, messages.encode_target(host, port)))


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
        return Question(self._event, _named(_CTX_SHARED_GET, key), messages.value)

    def set(self, key: str, value: Value) -> None:
        self._event.tell(_call(_CTX_SHARED_SET, messages.encode_pair(key, value)))


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
        """An nginx variable, such as `request_id`; None if unknown. Phases: rewrite, access, response."""
        return Question(self._event, _named(_NGINX_GET_VAR, name), messages.optional_text)

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
        self._event.tell(_call(_LOG_CRIT, messages.encode_list(parts)))

    def err(self, *parts: Value) -> None:
        self._event.tell(_call(_LOG_ERR, messages.encode_list(parts)))

    def warn(self, *parts: Value) -> None:
        self._event.tell(_call(_LOG_WARN, messages.encode_list(parts)))

    def notice(self, *parts: Value) -> None:
        self._event.tell(_call(_LOG_NOTICE, messages.encode_list(parts)))

    def info(self, *parts: Value) -> None:
        self._event.tell(_call(_LOG_INFO, messages.encode_list(parts)))

    def debug(self, *parts: Value) -> None:
        self._event.tell(_call(_LOG_DEBUG, messages.encode_list(parts)))


class Kong:
    """The PDK of one event. It is over when the phase ends: any later call raises `EventOverError`."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    @property
    def request(self) -> Request:
        return Request(self._event)

    @property
    def response(self) -> Response:
        return Response(self._event)

    @property
    def service(self) -> Service:
        return Service(self._event)

    @property
    def client(self) -> Client:
        return Client(self._event)

    @property
    def ctx(self) -> Context:
        return Context(self._event)

    @property
    def nginx(self) -> Nginx:
        return Nginx(self._event)

    @property
    def node(self) -> Node:
        return Node(self._event)

    @property
    def router(self) -> Router:
        return Router(self._event)

    @property
    def log(self) -> Log:
        return Log(self._event)

    @overload
    async def gather(self, a: Question[A], b: Question[B], /) -> tuple[A, B]: ...
    @overload
    async def gather(self, a: Question[A], b: Question[B], c: Question[C], /) -> tuple[A, B, C]: ...
    @overload
    async def gather(
        self, a: Question[A], b: Question[B], c: Question[C], d: Question[D], /
    ) -> tuple[A, B, C, D]: ...
    @overload
    async def gather(
        self, a: Question[A], b: Question[B], c: Question[C], d: Question[D], e: Question[E], /
    ) -> tuple[A, B, C, D, E]: ...
    @overload
    async def gather(self, *questions: Question[Any]) -> tuple[Any, ...]: ...
    async def gather(self, *questions: Question[Any]) -> tuple[Any, ...]:
        """Send the questions in one write, wait once, and return their answers in order."""
        return await _Gathered(self._event, questions)


class _Gathered:
    __slots__ = ("event", "questions")

    def __init__(self, event: Event, questions: Sequence[Question[Any]]) -> None:
        self.event = event
        self.questions = questions

    def __await__(self) -> Generator[Any, Any, tuple[Any, ...]]:
        return (yield from self.event.ask(self.questions))
