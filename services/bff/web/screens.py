"""`/api/home` and `/api/me`."""

from typing import TypeVar

from litestar import Response, get

from services.bff.application.screens import AccountPage, Home, Screens, Session
from services.chassis.docs import BEARER
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.problems import documented

T = TypeVar("T")


@get(
    "/api/home",
    operation_id="getHome",
    summary="The start screen",
    tags=["screens"],
    security=BEARER,
    responses=documented(401, 503),
)
async def home(request: CallerRequest, screens: Injected[Screens]) -> Response[Home]:
    """What the services have, within their deadlines; a source that fails is null and named in `degraded`."""
    caller = request.user
    session = Session(
        active=True,
        sub=caller.subject,
        sid=caller.session,
        roles=sorted(caller.roles),
        exp=int(caller.expires_at),
    )
    return _private(await screens.home(caller.token, session))


@get(
    "/api/me",
    operation_id="getAccountPage",
    summary="The account screen",
    tags=["screens"],
    security=BEARER,
    responses=documented(401, 503),
)
async def account_page(request: CallerRequest, screens: Injected[Screens]) -> Response[AccountPage]:
    """The account, its member and its open sessions; a source that fails is null and named in `degraded`."""
    return _private(await screens.account(request.user.token))


def _private(screen: T) -> Response[T]:
    # One caller's screen: no shared cache may keep it, and their own asks before showing it again. Not `no-store`,
    # which would forbid the gateway to repeat the answer to a repeated idempotency key.
    return Response(screen, headers={"Cache-Control": "private, no-cache"})
