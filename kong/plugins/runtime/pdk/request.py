"""`kong.request`."""

from __future__ import annotations

from kong.plugins.runtime import messages
from kong.plugins.runtime.frames import EMPTY, frame
from kong.plugins.runtime.messages import BodyInFile, UriCaptures, Value
from kong.plugins.runtime.pdk.calls import Event, Question, bounded, named

# A method as Kong reads it: the frame of its name, and of the empty argument where it takes none.
_GET_FORWARDED_HOST = frame(b"kong.request.get_forwarded_host") + EMPTY
_GET_FORWARDED_PORT = frame(b"kong.request.get_forwarded_port") + EMPTY
_GET_FORWARDED_SCHEME = frame(b"kong.request.get_forwarded_scheme") + EMPTY
_GET_HEADER = frame(b"kong.request.get_header")
_GET_HEADERS = frame(b"kong.request.get_headers")
_GET_HOST = frame(b"kong.request.get_host") + EMPTY
_GET_HTTP_VERSION = frame(b"kong.request.get_http_version") + EMPTY
_GET_METHOD = frame(b"kong.request.get_method") + EMPTY
_GET_PATH = frame(b"kong.request.get_path") + EMPTY
_GET_PATH_WITH_QUERY = frame(b"kong.request.get_path_with_query") + EMPTY
_GET_PORT = frame(b"kong.request.get_port") + EMPTY
_GET_QUERY = frame(b"kong.request.get_query")
_GET_QUERY_ARG = frame(b"kong.request.get_query_arg")
_GET_RAW_BODY = frame(b"kong.request.get_raw_body") + EMPTY
_GET_RAW_QUERY = frame(b"kong.request.get_raw_query") + EMPTY
_GET_SCHEME = frame(b"kong.request.get_scheme") + EMPTY
_GET_URI_CAPTURES = frame(b"kong.request.get_uri_captures") + EMPTY


class Request:
    """`kong.request`: the client's request."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def get_method(self) -> Question[str]:
        """The method, upper case. Phases: rewrite, access, response."""
        return Question(self._event, _GET_METHOD, messages.text)

    def get_scheme(self) -> Question[str]:
        """`http` or `https`, of the connection to Kong. Phases: rewrite, access, response."""
        return Question(self._event, _GET_SCHEME, messages.text)

    def get_host(self) -> Question[str]:
        """The host without port, lower case. Phases: rewrite, access, response."""
        return Question(self._event, _GET_HOST, messages.text)

    def get_port(self) -> Question[int]:
        """The port that Kong was reached on. Phases: certificate, rewrite, access, response."""
        return Question(self._event, _GET_PORT, messages.integer)

    def get_forwarded_scheme(self) -> Question[str]:
        """As `get_scheme`, or `X-Forwarded-Proto` from a trusted proxy. Phases: rewrite, access, response."""
        return Question(self._event, _GET_FORWARDED_SCHEME, messages.text)

    def get_forwarded_host(self) -> Question[str]:
        """As `get_host`, or `X-Forwarded-Host` from a trusted proxy. Phases: rewrite, access, response."""
        return Question(self._event, _GET_FORWARDED_HOST, messages.text)

    def get_forwarded_port(self) -> Question[int]:
        """As `get_port`, or `X-Forwarded-Port` from a trusted proxy. Phases: rewrite, access, response."""
        return Question(self._event, _GET_FORWARDED_PORT, messages.integer)

    def get_http_version(self) -> Question[float]:
        """1.0, 1.1 or 2.0. Phases: rewrite, access, response."""
        return Question(self._event, _GET_HTTP_VERSION, messages.number)

    def get_path(self) -> Question[str]:
        """The normalised path, without the query. Phases: rewrite, access, response."""
        return Question(self._event, _GET_PATH, messages.text)

    def get_path_with_query(self) -> Question[str]:
        """The path and query as the client sent them, not normalised. Phases: rewrite, access, response."""
        return Question(self._event, _GET_PATH_WITH_QUERY, messages.text)

    def get_raw_query(self) -> Question[str]:
        """The query without `?`, undecoded; empty if there is none. Phases: rewrite, access, response."""
        return Question(self._event, _GET_RAW_QUERY, messages.text)

    def get_query_arg(self, name: str) -> Question[str | None]:
        """The first value of a query argument; None if absent. Phases: rewrite, access, response.

        An argument without `=` is true in Kong and does not fit the answer's message: Kong fails the request.
        """
        return Question(self._event, named(_GET_QUERY_ARG, name), messages.optional_text)

    def get_query(self, max_args: int = 100) -> Question[dict[str, Value]]:
        """The query arguments: a list where one repeats. At most 1000. Phases: rewrite, access, response."""
        return Question(self._event, bounded(_GET_QUERY, max_args), messages.struct)

    def get_header(self, name: str) -> Question[str | None]:
        """The first value of a header, any case; None if absent. Phases: rewrite, access, response."""
        return Question(self._event, named(_GET_HEADER, name), messages.optional_text)

    def get_headers(self, max_headers: int = 100) -> Question[dict[str, Value]]:
        """The headers in lower case, a list where one repeats; 1000 at most. Phases: rewrite, access, response."""
        return Question(self._event, bounded(_GET_HEADERS, max_headers), messages.struct)

    def get_raw_body(self) -> Question[bytes | BodyInFile]:
        """The body; `BodyInFile` if it is over Kong's `client_body_buffer_size`. Phases: rewrite, access, response.

        Raises `BodyUnreadableError` if Kong cannot read it.
        """
        return Question(self._event, _GET_RAW_BODY, messages.raw_body)

    def get_uri_captures(self) -> Question[UriCaptures]:
        """What the route's regular expression captured. Phases: access, response."""
        return Question(self._event, _GET_URI_CAPTURES, messages.uri_captures)
