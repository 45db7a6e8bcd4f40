"""`/api/cart`: the caller's cart, at today's prices."""

from enum import Enum
from typing import Annotated

from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from services.chassis.errors import Unauthenticated
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.problems import documented
from services.order.application.carting import ShownCart
from services.order.domain.errors import NoMerge, UnknownItem
from services.order.web.parts import Parts
from services.order.web.schemas import CartView, GuestCart, ItemQuantity

GUEST = "guest"
MAX_SKU = 64


class Language(Enum):
    KO = "ko"
    EN = "en"


Lang = Annotated[Language, QueryParameter(name="lang", description="Of texts that come from the catalog.")]


class CartController(Controller):
    path = "/api/cart"
    tags = ("cart",)
    security = ({"bearer": []},)

    @get(
        operation_id="getCart",
        summary="The caller's cart, at today's prices",
        responses=documented(400, 401, 503),
    )
    async def get_cart(
        self, *, request: CallerRequest, order: Injected[Parts], lang: Lang = Language.KO
    ) -> Response[CartView]:
        return _answer(await order.carting.show(request.user.subject, lang.value))

    @put(
        "/items/{sku:str}",
        operation_id="putCartItem",
        summary="Have so many of it in the cart",
        responses=documented(400, 401, 404, 409, 413, 503),
    )
    async def put_item(
        self,
        *,
        request: CallerRequest,
        order: Injected[Parts],
        sku: FromPath[str],
        data: JSONBody[ItemQuantity],
        lang: Lang = Language.KO,
    ) -> Response[CartView]:
        """Repeating is harmless."""
        shown = await order.carting.put(request.user.subject, _sku(sku), data.quantity, lang.value)
        return _answer(shown)

    @delete(
        "/items/{sku:str}",
        status_code=200,
        operation_id="removeCartItem",
        summary="Take it out of the cart",
        responses=documented(400, 401, 404, 503),
    )
    async def remove_item(
        self,
        *,
        request: CallerRequest,
        order: Injected[Parts],
        sku: FromPath[str],
        lang: Lang = Language.KO,
    ) -> Response[CartView]:
        return _answer(await order.carting.remove(request.user.subject, _sku(sku), lang.value))

    @post(
        "/merge",
        status_code=200,
        operation_id="mergeCart",
        summary="Take over the cart that the caller had as a guest",
        responses=documented(400, 401, 403, 409, 413, 503),
    )
    async def merge(
        self,
        *,
        request: CallerRequest,
        order: Injected[Parts],
        data: JSONBody[GuestCart],
        lang: Lang = Language.KO,
    ) -> Response[CartView]:
        """Quantities are summed for each SKU, once: repeating is harmless."""
        if GUEST in request.user.roles:
            raise NoMerge
        try:
            guest = await order.guests.authenticate(data.guest_token)
        except Unauthenticated as fault:
            # The caller's own token is good: a 401 would sign a browser out.
            raise NoMerge from fault
        if GUEST not in guest.roles:
            raise NoMerge
        return _answer(await order.carting.merge(request.user.subject, guest.subject, lang.value))


def _sku(text: str) -> str:
    if len(text) > MAX_SKU or not text.isprintable():
        raise UnknownItem
    return text


def _answer(shown: ShownCart) -> Response[CartView]:
    return Response(CartView.of(shown), headers={"Cache-Control": "private, no-cache"})
