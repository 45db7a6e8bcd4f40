"""E-mail addresses: moving to another one, confirming one by its mailed link."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from services.auth.application.administration import Administration
from services.auth.application.email_changes import EmailChanges
from services.auth.application.signing_in import Client
from services.auth.web.bodies import EmailBody, EmailChange, EmailConfirmation
from services.auth.web.documented import BEARER, INTERNAL, PUBLIC, problems
from services.auth.web.parts import Part
from services.chassis.idempotency import Idempotency
from services.chassis.identity import Identity


class EmailController(Controller):
    path = "/api/auth/email"
    tags = ("account",)

    @post(
        status_code=202,
        operation_id="changeEmail",
        summary="Ask for another e-mail address; it counts once its mailed link is opened",
        description="The present address goes on signing in until then, and is told now and at the end. "
        "Asking for the present address takes a pending one back, and mails a link where it is not confirmed.",
        responses=problems(400, 401, 409, 429),
        security=BEARER,
    )
    async def change(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[EmailChange],
        identity: NamedDependency[Identity],
        client: Part[Client],
        email_changes: Part[EmailChanges],
        idempotency: Part[Idempotency],
    ) -> Response[None]:
        keyed = await idempotency.keyed(request, str(identity.subject))
        if keyed is not None and (answered := await keyed.answer()) is not None:
            return answered
        # Before the transaction that a key has: no connection to the database waits for a hash.
        change = await email_changes.prepare(identity.subject, data.email, data.current_password, client)

        async def ask() -> Response[None]:
            await email_changes.request(change, client)
            return Response(None, status_code=202)

        return await (ask() if keyed is None else keyed.once(ask))

    @delete(
        status_code=204,
        operation_id="withdrawEmailChange",
        summary="Take the pending address back",
        responses=problems(401),
        security=BEARER,
    )
    async def withdraw(
        self, identity: NamedDependency[Identity], client: Part[Client], email_changes: Part[EmailChanges]
    ) -> None:
        await email_changes.withdraw(identity.subject, client)

    @post(
        "/verify",
        public=True,
        status_code=204,
        operation_id="confirmEmail",
        summary="Confirm an address by the mailed link; a pending one becomes the account's",
        responses=problems(400, 409),
        security=PUBLIC,
    )
    async def confirm(
        self, data: JSONBody[EmailConfirmation], client: Part[Client], email_changes: Part[EmailChanges]
    ) -> None:
        await email_changes.confirm(data.token, client)


@put(
    "/api/auth/accounts/{account_id:uuid}/email",
    roles=("admin",),
    status_code=204,
    operation_id="setEmail",
    summary="Move an account to another address at once, with the administrator's own password",
    tags=["account"],
    responses=problems(400, 401, 403, 404, 409, 429),
    security=BEARER,
)
async def set_account_email(
    request: Request[Any, Any, Any],
    account_id: FromPath[UUID],
    data: JSONBody[EmailChange],
    identity: NamedDependency[Identity],
    client: Part[Client],
    email_changes: Part[EmailChanges],
    idempotency: Part[Idempotency],
) -> Response[None]:
    keyed = await idempotency.keyed(request, str(identity.subject))
    if keyed is not None and (answered := await keyed.answer()) is not None:
        return answered
    change = await email_changes.prepare_for(
        identity.subject, account_id, data.email, data.current_password, client
    )

    async def move() -> Response[None]:
        await email_changes.set(change, client)
        return Response(None, status_code=204)

    return await (move() if keyed is None else keyed.once(move))


@put(
    "/internal/accounts/{account_id:uuid}/email",
    internal=True,
    status_code=204,
    operation_id="keepEmail",
    summary="What a member service of the release before asks for; makes the address pending and no more",
    tags=["internal"],
    responses=problems(400, 401, 404),
    security=INTERNAL,
)
async def keep_email(
    account_id: FromPath[UUID], data: JSONBody[EmailBody], administration: Part[Administration]
) -> None:
    await administration.keep_email(account_id, data.email)
