"""Calls a handler without the framework's way to it, where that way would do nothing for it.

Most of what the framework does for a request is decided when the service starts: which handler, which arguments, which
errors become which answers. A GET of a fixed address, whose handler takes the request and parts of app.py and nothing
of the client's, is called from a table. It is checked, answered and refused as all others are; every other request,
and every other handler, goes the framework's way (docs/decisions/0093-cheaper-hops.md).
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from litestar import Litestar, Request, Response
from litestar.enums import MediaType, ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.serialization import encode_json, get_serializer
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send, Serializer

from services.chassis.admission import Check
from services.chassis.injection import Part
from services.chassis.problems import ExceptionHandler

_SENT_AS_THEY_ARE = (str, bytes)
_JSON = (b"content-type", b"application/json")
_PLAIN_HOST = re.compile(rb"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[0-9]{1,5})?").fullmatch


class Call(NamedTuple):
    """A handler with all that is known of its calls. `parts`: its arguments but the request."""

    handler: HTTPRouteHandler
    function: Callable[..., Awaitable[Any]]
    template: str
    takes_request: bool
    parts: Mapping[str, Any]
    before: Callable[[Request[Any, Any, Any]], Awaitable[None]] | None
    request_class: type[Request[Any, Any, Any]]
    serializer: Serializer


class DirectCalls:
    """An ASGI wrapper next to the framework. `checks` are those of every request (admission.py)."""

    def __init__(
        self,
        app: Litestar,
        framework: ASGIApp,
        checks: Sequence[Check],
        refusing: Mapping[int | type[Exception], ExceptionHandler],
    ) -> None:
        self._app = app
        self._framework = framework
        self._checks = checks
        self._refusing = refusing
        self._calls = calls(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._framework(scope, receive, send)
            return
        call = self._calls.get(scope["path"]) if scope["method"] == "GET" else None
        if call is not None and _has_plain_host(scope):
            await self._answer(call, scope, receive, send)
        else:
            await self._framework(scope, receive, send)

    async def _answer(self, call: Call, scope: HTTPScope, receive: Receive, send: Send) -> None:
        scope["path_params"] = {}
        scope["path_template"] = call.template
        scope["route_handler"] = call.handler
        request = call.request_class(scope, receive, send)
        begun = False

        async def begin(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            for check in self._checks:
                await check(request, call.handler)
            if call.before is not None:
                await call.before(request)
            if call.takes_request:
                answer = await call.function(request=request, **call.parts)
            else:
                answer = await call.function(**call.parts)
            if type(answer) is Response and _is_plain(answer):
                body = encode_json(answer.content, call.serializer)
                start: Any = {"type": "http.response.start", "status": 200, "headers": _headers(answer, body)}
                begun = True
                await send(start)
                await send({"type": "http.response.body", "body": body, "more_body": False})
            else:
                answering = await call.handler.to_response(app=self._app, data=answer, request=request)
                await answering(scope, receive, begin)
        except Exception as fault:
            if begun:
                raise
            refusal = next(self._refusing[base] for base in type(fault).__mro__ if base in self._refusing)
            await refusal(request, fault).to_asgi_response(app=None, request=request)(scope, receive, send)


def calls(app: Litestar) -> dict[str, Call]:
    """The handlers that are called directly, by their paths."""
    found = {}
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "GET" in route.route_handler_map and not route.path_parameters:
            call = _call(app, route, route.route_handler_map["GET"][0])
            if call is not None:
                found[route.path] = call
    return found


def _call(app: Litestar, route: HTTPRoute, handler: HTTPRouteHandler) -> Call | None:
    """None where the framework has something to do."""
    wanted = set(handler.parsed_fn_signature.parameters)
    given = handler.resolve_dependencies()
    parts = {
        name: provided.part for name in wanted - {"request"} if isinstance(provided := given.get(name), Part)
    }
    if wanted - {"request"} != parts.keys() or handler.has_sync_callable:
        return None
    if (
        handler.resolve_guards()
        or any(getattr(layer, "after_request", None) for layer in handler.ownership_layers)
        or handler.resolve_after_response()
        or handler.resolve_return_dto()
        or handler.resolve_response_headers()
        or handler.resolve_response_cookies()
        or handler.cache
        or handler.background
        or handler.status_code != 200
        or handler.media_type not in {"", MediaType.JSON}
        or len(handler.resolve_middleware()) != 1  # admission's own
        or handler.resolve_exception_handlers() != app.exception_handlers
        or not handler.parsed_fn_signature.return_type.is_subclass_of(Response)
    ):
        return None
    return Call(
        handler,
        handler.fn,
        route.path_format,
        "request" in wanted,
        parts,
        handler.resolve_before_request(),
        handler.resolve_request_class(),
        get_serializer(handler.resolve_type_encoders()),
    )


def _is_plain(answer: Response[Any]) -> bool:
    """Whether it is a document to be written as JSON, and nothing else."""
    return answer.status_code in (None, 200) and not (
        answer.media_type or answer.cookies or isinstance(answer.content, _SENT_AS_THEY_ARE)
    )


def _headers(answer: Response[Any], body: bytes) -> list[tuple[bytes, bytes]]:
    given = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
    ]
    return [*given, _JSON, (b"content-length", b"%d" % len(body))]


def _has_plain_host(scope: Scope) -> bool:
    """The framework judges all others, and refuses some."""
    return None not in [_PLAIN_HOST(value) for name, value in scope["headers"] if name == b"host"]
