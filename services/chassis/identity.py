"""Who is calling, and whether that one may. Closed by default: a handler is for signed-in callers unless it says else.

A handler opens itself with one word in its decorator: `public=True` (anybody; or a function of the
connection, where one address is for anybody in some of its forms only), `internal=True` (other services, by
the internal key); `roles=("admin",)` narrows it to callers with one of these roles. Identity comes from the Bearer
token that this service verifies itself, never from headers that the gateway sets.
"""

import hmac
from typing import Any, Protocol
from uuid import UUID

import msgspec
from litestar.connection import ASGIConnection, Request
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from common import header_names
from common.access_tokens.credentials import bearer_token
from services.chassis.errors import BadRequest, Forbidden, Unauthenticated


class Identity(msgspec.Struct, frozen=True):
    """The caller, as the access token has it. `expires_at` is in Unix seconds; `token` is for calls on their behalf."""

    subject: UUID
    session: UUID
    roles: frozenset[str]
    expires_at: float
    token: str


CallerRequest = Request[Identity, Any, Any]
"""A request of a signed-in caller: `request.user` is the identity."""


class Authenticator(Protocol):
    """Turns an access token into an identity."""

    async def authenticate(self, token: str) -> Identity:
        """Raises Unauthenticated for a token that is not good, Unavailable where that cannot be told now."""


class Access:
    """The check of every request (admission.py)."""

    def __init__(self, authenticator: Authenticator | None, internal_key: str | None) -> None:
        self._authenticator = authenticator
        self._internal_key = internal_key

    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        if connection.scope.get("method") == "OPTIONS":
            return  # the framework's OPTIONS says which methods there are, and nothing else
        sent = [value for name, value in connection.scope["headers"] if name == b"authorization"]
        if len(sent) > 1:  # which of them the hop before us judged is anybody's guess
            raise BadRequest("The Authorization header was sent more than once.")
        public = handler.opt.get("public")
        if public(connection) if callable(public) else public:
            return
        if handler.opt.get("internal"):
            self._check_internal_key(connection.headers.get(header_names.INTERNAL_KEY, ""))
            return
        if self._authenticator is None:
            raise ImproperlyConfiguredException(
                f"{handler} needs an identity and the app has no authenticator"
            )
        token = bearer_token(sent[0].decode("latin-1") if sent else None)
        if not token:
            raise Unauthenticated("This address needs an access token.", error="")
        identity = await self._authenticator.authenticate(token)
        required = handler.opt.get("roles", ())
        if required and identity.roles.isdisjoint(required):
            raise Forbidden("Your account may not do this.")
        connection.scope["user"] = identity

    def _check_internal_key(self, sent: str) -> None:
        # No key configured means that nobody has it. Bytes, because compare_digest refuses non-ASCII text.
        if not self._internal_key or not hmac.compare_digest(sent.encode(), self._internal_key.encode()):
            raise Unauthenticated("This address is for other services.", error="")


def provide_identity(scope: Scope) -> Identity:
    """The identity of the request at hand, for handlers that ask for `identity`."""
    identity = scope.get("user")
    if not isinstance(identity, Identity):
        raise Unauthenticated("This address needs an access token.", error="")
    return identity
