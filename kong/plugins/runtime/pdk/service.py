"""`kong.service`, with what goes upstream and what came back."""

from __future__ import annotations

from collections.abc import Mapping

from kong.plugins.runtime import messages
from kong.plugins.runtime.frames import EMPTY, frame
from kong.plugins.runtime.messages import Value
from kong.plugins.runtime.pdk.calls import Event, HeaderValue, Question, call, named
from kong.plugins.runtime.pdk.headers import struct

# A method as Kong reads it: the frame of its name, and of the empty argument where it takes none.
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


def set_headers(headers: Mapping[str, HeaderValue]) -> bytes:
    """The statement of `ServiceRequest.set_headers`, for `AtOnce`."""
    return call(_SERVICE_REQUEST_SET_HEADERS, struct(headers))


class ServiceRequest:
    """`kong.service.request`: what goes upstream. Phases of every method: rewrite, access."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def set_scheme(self, scheme: str) -> None:
        self._event.tell(call(_SERVICE_REQUEST_SET_SCHEME, messages.encode_text(scheme)))

    def set_path(self, path: str) -> None:
        self._event.tell(call(_SERVICE_REQUEST_SET_PATH, messages.encode_text(path)))

    def set_raw_query(self, query: str) -> None:
        self._event.tell(call(_SERVICE_REQUEST_SET_RAW_QUERY, messages.encode_text(query)))

    def set_method(self, method: str) -> None:
        self._event.tell(call(_SERVICE_REQUEST_SET_METHOD, messages.encode_text(method)))

    def set_query(self, arguments: Mapping[str, Value]) -> None:
        self._event.tell(call(_SERVICE_REQUEST_SET_QUERY, messages.encode_struct(arguments)))

    def set_header(self, name: str, value: str) -> None:
        """Set a header, over what the client sent."""
        self._event.tell(call(_SERVICE_REQUEST_SET_HEADER, messages.encode_pair(name, value)))

    def add_header(self, name: str, value: str) -> None:
        self._event.tell(call(_SERVICE_REQUEST_ADD_HEADER, messages.encode_pair(name, value)))

    def clear_header(self, name: str) -> None:
        """Remove a header, every occurrence."""
        self._event.tell(named(_SERVICE_REQUEST_CLEAR_HEADER, name))

    def set_headers(self, headers: Mapping[str, HeaderValue]) -> None:
        """Set each header, over what the client sent. `ConstantHeaders` are encoded once."""
        self._event.tell(set_headers(headers))

    def set_raw_body(self, body: bytes) -> None:
        self._event.tell(call(_SERVICE_REQUEST_SET_RAW_BODY, messages.encode_content(body)))


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
        return Question(self._event, named(_SERVICE_RESPONSE_GET_HEADER, name), messages.optional_text)

    def get_raw_body(self) -> Question[bytes]:
        return Question(self._event, _SERVICE_RESPONSE_GET_RAW_BODY, messages.content)


class Service:
    """`kong.service`: where the request goes."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    @property
    def request(self) -> ServiceRequest:
        return ServiceRequest(self._event)

    @property
    def response(self) -> ServiceResponse:
        return ServiceResponse(self._event)

    def set_upstream(self, host: str) -> Question[bool]:
        """Balance over the named upstream; False if Kong has none of that name. Phases: access."""
        return Question(self._event, named(_SERVICE_SET_UPSTREAM, host), messages.boolean)

    def set_target(self, host: str, port: int) -> None:
        """Send the request to this host and port. Phases: access."""
        self._event.tell(call(_SERVICE_SET_TARGET, messages.encode_target(host, port)))
