"""Tokens: signing in, refreshing, signing out, asking whether a token is good."""

from typing import Any

from litestar import Controller, Request, Response, post, route
from litestar.params import JSONBody

from services.auth.application.guest_service import GuestService
from services.auth.application.login_service import Client, LoginService
from services.auth.application.ports import TokenReader
from services.auth.application.session_service import SessionService
from services.auth.application.token_issuer import TokenPair
from services.auth.web.schemas import Credentials, LogoutBody, RefreshBody, Tokens, Verified
from services.chassis.docs import BEARER, PUBLIC
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.problems import documented


def _tokens(pair: TokenPair) -> Response[Tokens]:
    body = Tokens(
        access_token=pair.access,
        expires_in=pair.access_lifetime,
        refresh_token=pair.refresh,
        refresh_expires_in=pair.refresh_lifetime,
    )
    return Response(body, headers={"Cache-Control": "no-store"})  # RFC 6749 §5.1


class TokenController(Controller):
    path = "/api/auth"
    tags = ("tokens",)

    @post(
        "/login",
        public=True,
        status_code=200,
        operation_id="login",
        summary="Sign in with e-mail address and password",
        responses=documented(400, 401, 429, 503),
        security=PUBLIC,
    )
    async def login(
        self,
        data: JSONBody[Credentials],
        client: Injected[Client],
        login_service: Injected[LoginService],
    ) -> Response[Tokens]:
        return _tokens(await login_service(data.email, data.password, client))

    @post(
        "/guest",
        public=True,
        status_code=200,
        operation_id="openGuestSession",
        summary="A session without an account, for a cart and an order",
        description="Its tokens have the role `guest`, and are refreshed and signed out as all others. "
        "429 where one network asks for too many.",
        responses=documented(429, 503),
        security=PUBLIC,
    )
    async def guest(
        self, client: Injected[Client], guest_service: Injected[GuestService]
    ) -> Response[Tokens]:
        return _tokens(await guest_service(client))

    @post(
        "/refresh",
        public=True,
        status_code=200,
        operation_id="refresh",
        summary="Exchange a refresh token for the next pair",
        description="The token is then used up; for a few seconds a repeat gets the same successor. "
        "A used token that comes back later ends the session.",
        responses=documented(400, 401, 503),
        security=PUBLIC,
    )
    async def refresh(
        self, data: JSONBody[RefreshBody], session_service: Injected[SessionService]
    ) -> Response[Tokens]:
        return _tokens(await session_service.refresh(data.refresh_token))

    @post(
        "/logout",
        public=True,
        status_code=204,
        operation_id="logout",
        summary="End the session of the Bearer token, of the refresh token, or of both",
        responses=documented(400, 503),
        security=[{}, {"bearer": []}],
    )
    async def logout(
        self,
        request: Request[Any, Any, Any],
        session_service: Injected[SessionService],
        token_reader: Injected[TokenReader],
        data: JSONBody[LogoutBody | None] = None,
    ) -> None:
        session = token_reader.session_of(request.headers.get("Authorization"))
        await session_service.sign_out(session, data.refresh_token if data else None)

    @route(
        "/verify",
        http_method=["GET", "POST"],
        status_code=200,
        operation_id=lambda _handler, method, _path: "verify" if method == "GET" else "verifyByPost",
        summary="Whether the Bearer token is good and its session alive",
        responses=documented(401, 503),
        security=BEARER,
    )
    async def verify(self, request: CallerRequest) -> Response[Verified]:
        identity = request.user
        body = Verified(
            sub=identity.subject,
            sid=identity.session,
            roles=sorted(identity.roles),
            exp=int(identity.expires_at),
        )
        return Response(body)
