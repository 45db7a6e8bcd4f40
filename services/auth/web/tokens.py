"""Tokens: signing in, refreshing, signing out, asking whether a token is good."""

from typing import Any

from litestar import Controller, Request, Response, post, route
from litestar.di import NamedDependency
from litestar.params import JSONBody

from services.auth.application.issuing import TokenPair
from services.auth.application.ports import TokenReader
from services.auth.application.session_care import SessionCare
from services.auth.application.signing_in import Client, SignIn
from services.auth.web.bodies import Credentials, LogoutBody, RefreshBody, Tokens, Verified
from services.auth.web.documented import BEARER, PUBLIC, problems
from services.auth.web.parts import Part
from services.chassis.identity import Identity


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
        responses=problems(400, 401, 429),
        security=PUBLIC,
    )
    async def login(
        self,
        data: JSONBody[Credentials],
        client: Part[Client],
        sign_in: Part[SignIn],
    ) -> Response[Tokens]:
        return _tokens(await sign_in(data.email, data.password, client))

    @post(
        "/refresh",
        public=True,
        status_code=200,
        operation_id="refresh",
        summary="Exchange a refresh token for the next pair",
        description="The token is then used up; for a few seconds a repeat gets the same successor. "
        "A used token that comes back later ends the session.",
        responses=problems(400, 401),
        security=PUBLIC,
    )
    async def refresh(self, data: JSONBody[RefreshBody], session_care: Part[SessionCare]) -> Response[Tokens]:
        return _tokens(await session_care.refresh(data.refresh_token))

    @post(
        "/logout",
        public=True,
        status_code=204,
        operation_id="logout",
        summary="End the session of the Bearer token, of the refresh token, or of both",
        responses=problems(400),
        security=[{}, {"bearer": []}],
    )
    async def logout(
        self,
        request: Request[Any, Any, Any],
        session_care: Part[SessionCare],
        token_reader: Part[TokenReader],
        data: JSONBody[LogoutBody | None] = None,
    ) -> None:
        session = token_reader.session_of(request.headers.get("Authorization"))
        await session_care.sign_out(session, data.refresh_token if data else None)

    @route(
        "/verify",
        http_method=["GET", "POST"],
        status_code=200,
        operation_id=lambda _handler, method, _path: "verify" if method == "GET" else "verifyByPost",
        summary="Whether the Bearer token is good and its session alive",
        responses=problems(401),
        security=BEARER,
    )
    async def verify(self, identity: NamedDependency[Identity]) -> Verified:
        return Verified(
            sub=identity.subject,
            sid=identity.session,
            roles=sorted(identity.roles),
            exp=int(identity.expires_at),
        )
