"""What RFC 9110 asks of every address and a framework leaves to its user: HEAD as GET without the body (§9.3.2), whole
`Allow` headers (§10.2.1), 501 for methods that no service has (§9.1), and conditional reading (§13).

An ASGI wrapper next to the app: what it answers is measured and logged as everything else.
"""

from collections.abc import Iterable, Mapping

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from services.chassis import conditional, problems
from services.chassis.errors import PreconditionFailed, UnknownMethod

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Headers = list[tuple[bytes, bytes]]

# Read whole by the handlers, whatever number of lines they came in (RFC 9110 §5.3).
_LISTS = frozenset({b"if-match", b"if-none-match"})
_CONDITIONS = _LISTS | {b"if-modified-since", b"if-unmodified-since"}


class HttpMethods:
    """`allowed`: the methods of each route, by its template."""

    def __init__(self, app: ASGIApp, allowed: Mapping[str, Iterable[str]]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        if scope["method"] not in METHODS:
            await problems.send(UnknownMethod(), scope, send)
            return
        scope["headers"] = _joined(scope["headers"])
        reading = scope["method"] in {"GET", "HEAD"}
        answer = _Answer(scope, send) if reading else None
        inner: HTTPScope = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(inner, receive, answer.send if answer else self._allowing(scope, send))
        finally:
            if inner is not scope and "path_template" in inner:
                scope["path_template"] = inner["path_template"]

    def _allowing(self, scope: HTTPScope, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                if scope["method"] == "OPTIONS" and message["status"] == 204:
                    # The framework's own knows only the handler that was registered first.
                    methods = ", ".join(self._allowed.get(scope["path_template"], ())).encode()
                    headers = [header for header in headers if header[0].lower() != b"allow"]
                    headers.append((b"allow", methods))
                message["headers"] = _with_whole_allow(headers)
            await send(message)

        return sent


class _Answer:
    """The answer to a GET or HEAD on its way out."""

    def __init__(self, scope: HTTPScope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._head = scope["method"] == "HEAD"
        self._replaced = False
        self._conditional = not _CONDITIONS.isdisjoint([name for name, _ in scope["headers"]])

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = headers = _with_whole_allow(message["headers"])
            if self._conditional and message["status"] == 200:
                await self._judge(message, headers)
            else:
                await self._send(message)
        elif self._replaced:
            return
        elif message["type"] == "http.response.body" and self._head:
            await self._send({"type": "http.response.body", "body": b"", "more_body": message["more_body"]})
        else:
            await self._send(message)

    async def _judge(self, message: Message, headers: Headers) -> None:
        status = conditional.judged(
            _text(self._scope["headers"]), _value(headers, b"etag"), _value(headers, b"last-modified")
        )
        if status == 412:
            self._replaced = True
            problem = PreconditionFailed(
                "It is not, or no longer, what the preconditions of this request name."
            )
            await problems.send(problem, self._scope, self._send)
        elif status == 304:
            self._replaced = True
            kept = [(name, value) for name, value in headers if name.lower() in conditional.KEPT]
            await self._send({"type": "http.response.start", "status": 304, "headers": kept})
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await self._send(message)


def _with_whole_allow(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """`headers` with HEAD and OPTIONS named in `Allow`, which every address has."""
    headers = list(headers)
    if b"allow" in [name.lower() for name, _ in headers]:
        return [(name, _whole(value) if name.lower() == b"allow" else value) for name, value in headers]
    return headers


def _whole(allow: bytes) -> bytes:
    methods = {name.strip() for name in allow.split(b",") if name.strip()} | {b"OPTIONS"}
    if b"GET" in methods:
        methods.add(b"HEAD")
    return b", ".join(sorted(methods))


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    headers = list(headers)
    names = [name for name, _ in headers]
    for name in _LISTS:
        if names.count(name) > 1:
            lines = [value for header, value in headers if header == name]
            headers = [header for header in headers if header[0] != name] + [(name, b", ".join(lines))]
    return headers


def _text(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def _value(headers: Headers, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in headers if name.lower() == wanted), None)
