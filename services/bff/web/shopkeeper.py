"""`/api/today`, for administrators."""

from datetime import datetime
from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from services.bff.application.today import ShopkeeperScreens, Today
from services.chassis.docs import BEARER
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.intervals import interval
from services.chassis.problems import documented

ADMIN = "admin"


@get(
    "/api/today",
    operation_id="getToday",
    summary="The shopkeeper's day: orders, revenue, what runs out and what is stuck",
    tags=["screens"],
    security=BEARER,
    roles=(ADMIN,),
    responses=documented(400, 401, 403, 503),
)
async def today(
    *,
    request: CallerRequest,
    shopkeeper: Injected[ShopkeeperScreens],
    since: Annotated[datetime, QueryParameter(name="from", description="When the day begins (RFC 3339).")],
    before: Annotated[datetime, QueryParameter(name="before", description="When the next one begins.")],
) -> Response[Today]:
    """A source that fails is null and named in `degraded`."""
    day = interval(since, before, ("from", "before"))
    screen = await shopkeeper.today(request.user.token, day.since, day.before)
    return Response(screen, headers={"Cache-Control": "private, no-cache"})
