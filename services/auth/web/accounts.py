"""Accounts: registering, looking at one's own; and its status, for other services."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.auth.application.administration import Administration
from services.auth.application.ports import Accounts
from services.auth.application.registration import Registration
from services.auth.application.signing_in import Client
from services.auth.domain.accounts import Account
from services.auth.domain.errors import SessionEnded
from services.auth.web.bodies import AccountBody, Registered, StatusBody
from services.auth.web.documented import BEARER, INTERNAL, PUBLIC, problems
from services.auth.web.parts import Part
from services.chassis.idempotency import Idempotency
from services.chassis.identity import Identity


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


class AccountController(Controller):
    path = "/api/auth"
    tags = ("account",)

    @post(
        "/register",
        public=True,
        operation_id="register",
        summary="Create an account and its member",
        responses=problems(400, 409, 429),
        security=PUBLIC,
    )
    async def register(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[Registered],
        client: Part[Client],
        registration: Part[Registration],
        idempotency: Part[Idempotency],
    ) -> Response[AccountBody]:
        keyed = await idempotency.keyed(request, f"at {client.address}")
        if keyed is not None and (answered := await keyed.answer()) is not None:
            return answered
        # Apart, and before the transaction that a key has: no connection to the database waits for a hash.
        account = await registration.prepare(data.email, data.password, data.name, client)

        async def register() -> Response[AccountBody]:
            await registration.register(account, client)
            return Response(_body(account), status_code=201, headers={"Location": "/api/auth/me"})

        return await (register() if keyed is None else keyed.once(register))

    @get(
        "/me", operation_id="getMe", summary="The caller's account", responses=problems(401), security=BEARER
    )
    async def me(self, identity: NamedDependency[Identity], accounts: Part[Accounts]) -> AccountBody:
        account = await accounts.by_id(identity.subject)
        if account is None:
            raise SessionEnded
        return _body(account)


@put(
    "/internal/accounts/{account_id:uuid}/status",
    internal=True,
    status_code=204,
    operation_id="setAccountStatus",
    summary="Enable, disable or erase an account; the last two end its sessions",
    tags=["internal"],
    responses=problems(400, 401, 404),
    security=INTERNAL,
)
async def set_status(
    account_id: FromPath[UUID],
    data: JSONBody[StatusBody],
    administration: Part[Administration],
) -> None:
    if data.status == "deleted":
        await administration.erase(account_id)
    else:
        await administration.set_status(account_id, data.status)
