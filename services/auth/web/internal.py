"""`/internal/accounts`: for member's outbox, never routed by the gateway."""

from uuid import UUID

from litestar import put
from litestar.params import FromPath, JSONBody

from services.auth.application.account_service import AccountService
from services.auth.web.schemas import EmailBody, StatusBody
from services.chassis.docs import INTERNAL
from services.chassis.injection import Injected
from services.chassis.problems import documented


@put(
    "/internal/accounts/{account_id:uuid}/status",
    internal=True,
    status_code=204,
    operation_id="setAccountStatus",
    summary="Enable, disable or erase an account; the last two end its sessions",
    tags=["internal"],
    responses=documented(400, 401, 404, 503),
    security=INTERNAL,
)
async def set_status(
    account_id: FromPath[UUID],
    data: JSONBody[StatusBody],
    account_service: Injected[AccountService],
) -> None:
    if data.status == "deleted":
        await account_service.erase(account_id)
    else:
        await account_service.set_status(account_id, data.status)


@put(
    "/internal/accounts/{account_id:uuid}/email",
    internal=True,
    status_code=204,
    operation_id="keepEmail",
    summary="What a member service of the release before asks for; makes the address pending and no more",
    tags=["internal"],
    responses=documented(400, 401, 404, 503),
    security=INTERNAL,
)
async def keep_email(
    account_id: FromPath[UUID], data: JSONBody[EmailBody], account_service: Injected[AccountService]
) -> None:
    await account_service.keep_email(account_id, data.email)
