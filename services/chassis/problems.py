"""Every error leaves as RFC 9457 problem+json: our own refusals, the framework's, and what nobody expected."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import HTTPScope, Send
from litestar.utils.scope.state import ScopeState

from common import problem_details, reason_phrases, request_ids
from services.chassis.errors import FieldError, InvalidInput, Problem
from services.chassis.field_errors import of_body, parsed
from services.chassis.reading import sent_as

CONTENT_TYPE = problem_details.MEDIA_TYPE

_log = logging.getLogger(__name__)

_DETAILS = {
    400: "The request is malformed.",
    404: "There is nothing at this address.",
    405: "This address does not support the method; see the Allow header.",
    413: "The request's body is larger than this address accepts.",
}

ExceptionHandler = Callable[[Request[Any, Any, Any], Any], Response[bytes]]


class ProblemDetails(msgspec.Struct, omit_defaults=True):
    """The answer to a failed request (RFC 9457), as the API documents show it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[FieldError] = []
    retryable: bool = False


Refusals = Mapping[type[Exception], type[Problem] | Callable[[Any], Problem | None]]
"""web/'s table: a domain error to its problem's class (its text is the detail) or to a function that makes one; None
from it where the error is nothing that was expected."""


_SAID = {
    400: "The request is malformed or a value is not allowed; `errors` names each.",
    401: "No access token, or one that is not good.",
    403: "The caller may not do this.",
    404: "There is no such thing, or it is not the caller's.",
    409: "It exists already, or is being made by a request with the same idempotency key.",
    412: "It was changed since it was read.",
    413: "The body is larger than this address accepts.",
    422: "The idempotency key was used for another request.",
    428: "If-Match is missing.",
    429: "Too many attempts; Retry-After says when to try again.",
    503: "Something that the answer needs is down; Retry-After says when to try again.",
}


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """The refusals of a call, as its entry in the API document."""
    return {
        status: ResponseSpec(
            ProblemDetails, description=_SAID[status], media_type=CONTENT_TYPE, generate_examples=False
        )
        for status in statuses
    }


def handlers(refusals: Refusals) -> dict[int | type[Exception], ExceptionHandler]:
    """The exception handlers of an app."""

    def refuse(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        made = next(refusals[base] for base in type(error).__mro__ if base in refusals)
        problem = made(str(error)) if isinstance(made, type) else made(error)
        return _unexpected(request, error) if problem is None else respond(request, problem)

    table: dict[int | type[Exception], ExceptionHandler] = dict.fromkeys(refusals, refuse)
    table[Problem] = respond
    table[HTTPException] = _framework
    table[Exception] = _unexpected
    return table


def body(problem: Problem, instance: str) -> bytes:
    """The problem as JSON. `instance` is the request's path."""
    ids = request_ids.current.get()
    return problem_details.document(
        type_=problem.type,
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=instance,
        request_id=ids.request_id if ids else "",
        members=problem.members,
    )


def respond(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    # One caller's answer about this moment: no cache may give it to anybody. Not `no-store`, which would forbid the
    # gateway to repeat the answer to a repeated idempotency key.
    headers = {"Cache-Control": "private, no-cache", **problem.headers}
    content = body(problem, request.scope["path"])
    return Response(content, status_code=problem.status, media_type=CONTENT_TYPE, headers=headers)


async def send(problem: Problem, scope: HTTPScope, send: Send) -> None:
    """Answers with the problem, below the framework."""
    content = b"" if scope["method"] == "HEAD" else body(problem, scope["path"])
    headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "private, no-cache", **problem.headers}
    if content:
        headers["Content-Length"] = str(len(content))
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": content, "more_body": False})


def _framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's own refusals: no route, wrong method, malformed or invalid input, a body over the limit."""
    if error.status_code >= 500:
        return _unexpected(request, error)
    if error.status_code == 400 and _body_is_missing(request):
        return respond(request, InvalidInput([FieldError.of("", "required")], "The request has no body."))
    if error.status_code == 400 and isinstance(error.extra, list) and error.extra:
        return respond(request, InvalidInput(_field_errors(request, error.extra)))
    problem = Problem(_detail(error))
    problem.status = error.status_code
    problem.title = reason_phrases.title(error.status_code)
    problem.headers = dict(error.headers or {})
    return respond(request, problem)


def _detail(error: HTTPException) -> str:
    # Never the framework's text, nor that of an exception inside it: they name what is no business of a client's.
    return _DETAILS.get(error.status_code, "The request cannot be served as it is.")


def _body_is_missing(request: Request[Any, Any, Any]) -> bool:
    """Whether the handler takes a body and none came: the framework says so by the text of a KeyError."""
    field = request.route_handler.parsed_data_field
    return field is not None and ScopeState.from_scope(request.scope).body == b""


def _field_errors(request: Request[Any, Any, Any], extra: list[Any]) -> list[FieldError]:
    """Every wrong parameter by the name that it is sent by, and every wrong field of the body."""
    errors = []
    for item in extra:
        if not isinstance(item, dict):
            errors.append(FieldError.of("", "invalid"))
        elif item.get("source") == "body":
            field = request.route_handler.parsed_data_field
            body = ScopeState.from_scope(request.scope).body
            found = of_body(field.annotation, body) if field and isinstance(body, bytes) else []
            return found or [parsed(str(item.get("message", "")))]
        else:
            argument, _, below = str(item.get("key", "")).partition(".")
            name = sent_as(request.route_handler, argument)
            errors.append(parsed(str(item.get("message", "")), f"{name}.{below}" if below else name))
    return errors


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    # The client learns nothing but the id under which the log has the whole story.
    _log.error("unexpected error", exc_info=error, extra={"path": request.scope["path"]})
    return respond(request, Problem("Something went wrong on our side; the request id finds it in our logs."))
