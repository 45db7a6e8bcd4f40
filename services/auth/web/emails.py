"""E-mail addresses: moving to another one, confirming one by its mailed link."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.auth.application.email_service import Change, EmailService
from services.auth.application.login_service import Client
from services.auth.web.accounts import account_of
from services.auth.web.schemas import EmailChange, EmailConfirmation
from services.chassis.docs import BEARER, PUBLIC
from services.chassis.idempotency import Idempotency
from services.chassis.identity import Identity
from services.chassis.injection import Injected
from services.chassis.problems import documented


class EmailController(Controller):
    path = "/api/auth/email"
    tags = ("account",)

    @post(
        status_code=202,
        operation_id="changeEmail",
        summary="Ask for another e-mail address; it counts once its mailed link is opened",
        description="The present address goes on signing in until then, and is told now and at the end. "
        "Asking for the present address takes a pending one back, and mails a link where it is not confirmed. "
        "Guests have none: 403.",
        responses=documented(400, 401, 403, 409, 429, 503),
        security=BEARER,
    )
    async def change(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[EmailChange],
        identity: NamedDependency[Identity],
        client: Injected[Client],
        email_service: Injected[EmailService],
    ) -> Response[None]:
        account = account_of(identity)

        async def prepare() -> Change:
            return await email_service.prepare(account, data.email, data.current_password, client)

        async def ask(change: Change) -> Response[None]:
            await email_service.request(change, client)
            return Response(None, status_code=202)

        return await Idempotency.of(request).once(request, str(identity.subject), prepare, ask)

    @delete(
        status_code=204,
        operation_id="withdrawEmailChange",
        summary="Take the pending address back",
        responses=documented(401, 503),
        security=BEARER,
    )
    async def withdraw(
        self,
        identity: NamedDependency[Identity],
        client: Injected[Client],
        email_service: Injected[EmailService],
    ) -> None:
        await email_service.withdraw(identity.subject, client)

    @post(
        "/verify",
        public=True,
        status_code=204,
        operation_id="confirmEmail",
        summary="Confirm an address by the mailed link; a pending one becomes the account's",
        responses=documented(400, 409, 503),
        security=PUBLIC,
    )
    async def confirm(
        self,
        data: JSONBody[EmailConfirmation],
        client: Injected[Client],
        email_service: Injected[EmailService],
    ) -> None:
        await email_service.confirm(data.token, client)


@put(
    "/api/auth/accounts/{account_id:uuid}/email",
    roles=("admin",),
    status_code=204,
    operation_id="setEmail",
    summary="Move an account to another address at once, with the administrator's own password",
    tags=["account"],
    responses=documented(400, 401, 403, 404, 409, 429, 503),
    security=BEARER,
)
async def set_account_email(
    request: Request[Any, Any, Any],
    account_id: FromPath[UUID],
    data: JSONBody[EmailChange],
    identity: NamedDependency[Identity],
    client: Injected[Client],
    email_service: Injected[EmailService],
) -> Response[None]:
    async def prepare() -> Change:
        return await email_service.prepare_for(
            identity.subject, account_id, data.email, data.current_password, client
        )

    async def move(change: Change) -> Response[None]:
        await email_service.set(change, client)
        return Response(None, status_code=204)

    return await Idempotency.of(request).once(request, str(identity.subject), prepare, move)
