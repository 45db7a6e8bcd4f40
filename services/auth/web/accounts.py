"""Accounts: registering, looking at one's own."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from services.auth.application.login_service import Client
from services.auth.application.ports import Accounts
from services.auth.application.registration_service import RegistrationService
from services.auth.domain.accounts import GUEST, Account
from services.auth.domain.errors import SessionEnded
from services.auth.web.schemas import AccountBody, Registered
from services.chassis.docs import BEARER, PUBLIC
from services.chassis.errors import Forbidden
from services.chassis.idempotency import Idempotency
from services.chassis.identity import Identity
from services.chassis.injection import Injected
from services.chassis.problems import documented


def _body(account: Account) -> AccountBody:
    return AccountBody(
        id=account.id,
        email=account.email,
        name=account.name,
        roles=list(account.roles),
        email_verified=account.email_verified,
        pending_email=account.pending_email,
        created_at=account.created_at,
    )


def account_of(identity: Identity) -> UUID:
    """The caller's account. Raises Forbidden: a guest's session is good, and has none."""
    if GUEST in identity.roles:
        raise Forbidden("Guests have no account.")
    return identity.subject


class AccountController(Controller):
    path = "/api/auth"
    tags = ("account",)

    @post(
        "/register",
        public=True,
        operation_id="register",
        summary="Create an account and its member",
        responses=documented(400, 409, 429, 503),
        security=PUBLIC,
    )
    async def register(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[Registered],
        client: Injected[Client],
        registration_service: Injected[RegistrationService],
    ) -> Response[AccountBody]:
        async def prepare() -> Account:
            return await registration_service.prepare(data.email, data.password, data.name, client)

        async def register(account: Account) -> Response[AccountBody]:
            await registration_service.register(account, client)
            return Response(_body(account), status_code=201, headers={"Location": "/api/auth/me"})

        return await Idempotency.of(request).once(request, f"at {client.address}", prepare, register)

    @get(
        "/me",
        operation_id="getMe",
        summary="The caller's account",
        description="Guests have none: 403.",
        responses=documented(401, 403, 503),
        security=BEARER,
    )
    async def me(self, identity: NamedDependency[Identity], accounts: Injected[Accounts]) -> AccountBody:
        account = await accounts.by_id(account_of(identity))
        if account is None:
            raise SessionEnded
        return _body(account)
