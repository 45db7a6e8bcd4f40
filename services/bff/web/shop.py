"""`/api/storefront` and `/api/checkout`."""

from enum import Enum
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.connection import ASGIConnection
from litestar.params import QueryParameter

from common.access_tokens.credentials import said
from services.bff.application.storefront import Checkout, ShopScreens, Storefront
from services.chassis.docs import BEARER
from services.chassis.identity import CallerRequest, Identity
from services.chassis.injection import Injected
from services.chassis.problems import documented

GUEST = "guest"


class Language(Enum):
    KO = "ko"
    EN = "en"


Lang = Annotated[Language, QueryParameter(name="lang", description="Of texts that come from the catalog.")]


def _without_token(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Anybody may look; a token that is sent must still be good."""
    return not said(connection.headers.get("authorization"))


@get(
    "/api/storefront",
    public=_without_token,
    operation_id="getStorefront",
    summary="The shop's first page",
    tags=["screens"],
    responses=documented(400, 401, 503),
)
async def storefront(
    request: Request[Any, Any, Any], shop: Injected[ShopScreens], lang: Lang = Language.KO
) -> Response[Storefront]:
    """For anybody; with a session also the member and the last order. A source that fails is null and named in
    `degraded`."""
    caller = request.scope.get("user")
    if not isinstance(caller, Identity):
        screen = await shop.storefront(None, lang.value, guest=True)
        return _seen_by(screen, "public, max-age=10")
    screen = await shop.storefront(caller.token, lang.value, guest=GUEST in caller.roles)
    return _seen_by(screen, "private, no-cache")


def _seen_by(screen: Storefront, whom: str) -> Response[Storefront]:
    """`Vary`: a cache must not show the page of before to a browser that has signed in since. It signs in by a token
    here, and by a cookie at the front."""
    return Response(screen, headers={"Cache-Control": whom, "Vary": "Authorization, Cookie"})


@get(
    "/api/checkout",
    operation_id="getCheckout",
    summary="What an order is made of: the cart, and a member's addresses",
    tags=["screens"],
    security=BEARER,
    responses=documented(400, 401, 503),
)
async def checkout(
    request: CallerRequest, shop: Injected[ShopScreens], lang: Lang = Language.KO
) -> Response[Checkout]:
    """A source that fails is null and named in `degraded`."""
    caller = request.user
    screen = await shop.checkout(caller.token, lang.value, guest=GUEST in caller.roles)
    return Response(screen, headers={"Cache-Control": "private, no-cache"})
