"""The refusals that a service can answer with, as one tree.

Problem
├── BadRequest 400
│   └── InvalidInput 400, names each field
├── Unauthenticated 401
├── Forbidden 403
├── NotFound 404
├── Conflict 409
├── PreconditionFailed 412
├── UnsupportedMediaType 415
├── Unprocessable 422
├── PreconditionRequired 428
├── TooManyRequests 429
├── UnknownMethod 501
└── Unavailable 503

Each carries its own status, so that one handler turns any of them into RFC 9457 problem+json (problems.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from common import field_codes
from common.field_codes import InvalidValue, Parameter


class Problem(Exception):  # noqa: N818  # the RFC's own word
    """A refusal that the client is told about.

    `detail` is shown to the client: it names what to do, and never holds a secret or an internal name.
    `members` become extension members of the problem (RFC 9457 §3.2).
    """

    status = 500
    title = "Internal Server Error"
    type = "about:blank"

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members


class BadRequest(Problem):
    status = 400
    title = "Bad Request"


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One wrong value: `field` is its path in the request (`addresses.0.city`), empty for the whole body.

    `code` is one of common/field_codes.py, `params` what its sentence names; `message` is for developers.
    """

    field: str
    code: str
    message: str
    params: dict[str, int | str] = {}

    @classmethod
    def of(cls, field: str, code: str, **params: Parameter) -> "FieldError":
        return cls(field, code, field_codes.message(code, params), params)

    @classmethod
    def refusing(cls, field: str, value: InvalidValue) -> "FieldError":
        return cls(field, value.code, str(value), value.params)


class InvalidInput(BadRequest):
    """The request is understood, but some of its values are not allowed; each is named."""

    def __init__(self, errors: Sequence[FieldError], detail: str = "Some values are not valid.") -> None:
        super().__init__(detail, errors=list(errors))
        self.errors = tuple(errors)


class Unauthenticated(Problem):
    """No acceptable access token. `error` is RFC 6750 §3.1's code; empty where no token was sent at all."""

    status = 401
    title = "Unauthorized"

    def __init__(self, detail: str, *, error: str = "invalid_token") -> None:
        challenge = 'Bearer realm="api"'
        if error:
            challenge += f', error="{error}", error_description="{detail}"'
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    status = 403
    title = "Forbidden"


class NotFound(Problem):
    status = 404
    title = "Not Found"


class Conflict(Problem):
    status = 409
    title = "Conflict"


class PreconditionFailed(Problem):
    status = 412
    title = "Precondition Failed"


class UnsupportedMediaType(Problem):
    """`accepted`: the header that says what would be."""

    status = 415
    title = "Unsupported Media Type"

    def __init__(self, detail: str, accepted: Mapping[str, str]) -> None:
        super().__init__(detail, headers=accepted)


class Unprocessable(Problem):
    status = 422
    title = "Unprocessable Content"


class PreconditionRequired(Problem):
    status = 428
    title = "Precondition Required"


class TooManyRequests(Problem):
    """`retry_after` is in whole seconds."""

    status = 429
    title = "Too Many Requests"

    def __init__(self, detail: str, *, retry_after: int, **members: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)}, retryable=True, **members)


class UnknownMethod(Problem):
    status = 501
    title = "Not Implemented"

    def __init__(self) -> None:
        super().__init__("No service here knows this method.")


class Unavailable(Problem):
    """Something that the answer needs is down. `retry_after` is in whole seconds."""

    status = 503
    title = "Service Unavailable"

    def __init__(self, detail: str, *, retry_after: int = 1, **members: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)}, retryable=True, **members)
