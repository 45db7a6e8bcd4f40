"""`/api/orders`: placing an order, seeing it, paying it, cancelling it."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from services.chassis import preconditions
from services.chassis.errors import Forbidden
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest, Identity
from services.chassis.injection import Injected
from services.chassis.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from services.chassis.problems import documented
from services.order.application.placing import Wish
from services.order.application.ports import OrderQuery
from services.order.application.requests import Caller
from services.order.domain import links
from services.order.domain.errors import CartChanged, OrderError
from services.order.domain.orders import Order
from services.order.web import listing
from services.order.web.cart import GUEST, Lang, Language
from services.order.web.parts import Parts
from services.order.web.refusals import KeyRequired
from services.order.web.schemas import (
    CartView,
    Claimed,
    EventView,
    OrderedAgain,
    OrderView,
    PaymentPageView,
    Placement,
    RefundView,
    ShipmentView,
    TimelineView,
)

ADMIN = "admin"

IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description="The ETag that you read, or `*`.", max_length=1024),
]
LinkToken = Annotated[
    str | None,
    QueryParameter(
        name="token", max_length=64, description="Of a mailed link: with it no access token is needed."
    ),
]


def by_link(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """A link opens one order for whoever has it."""
    return "token" in connection.query_params


class OrdersController(Controller):
    path = "/api/orders"
    tags = ("orders",)
    security = ({"bearer": []},)

    @post(
        operation_id="placeOrder",
        summary="Order what is in the cart, for exactly what was shown",
        responses=documented(400, 401, 409, 413, 422, 428, 503),
    )
    async def place(
        self, *, request: CallerRequest, order: Injected[Parts], data: JSONBody[Placement]
    ) -> Response[OrderView]:
        """An idempotency key is required. 409 with the cart as it is now where anything changed, or with the order's id
        where this cart was ordered already."""
        keyed = await order.idempotency.keyed(request, str(request.user.subject))
        if keyed is None:
            raise KeyRequired
        if (answered := await keyed.answer()) is not None:
            return answered
        try:
            # Apart, and before the transaction that the key has: catalog is asked in it.
            new = await order.placing.prepared(await _wish(request, order, data))
        except OrderError:
            # The first request with this key may have closed the cart just now.
            if (answered := await keyed.answer()) is not None:
                return answered
            raise

        async def place() -> Response[OrderView]:
            placed = await order.placing.place(new, data.cart_version)
            return answer(placed, caller(request), 201, {"Location": f"/api/orders/{placed.id}"})

        try:
            return await keyed.once(place)
        except CartChanged as fault:
            shown = await order.carting.show(request.user.subject, data.lang)
            raise CartChanged(shown) from fault

    @get(
        operation_id="listOrders",
        summary="The caller's orders, the latest first",
        responses=documented(400, 401, 503),
    )
    async def list_own(
        self,
        *,
        request: CallerRequest,
        order: Injected[Parts],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[OrderView]:
        query = OrderQuery(limit=limit + 1, owner=request.user.subject, after=listing.after(cursor))
        return listing.page(await order.orders.page(query), limit, caller(request))

    @get(
        "/{order_id:uuid}",
        public=by_link,
        operation_id="getOrder",
        summary="An order: one's own, by a mailed link, or any for an administrator",
        responses=documented(400, 401, 404, 503),
    )
    async def get_order(
        self,
        *,
        request: Request[Any, Any, Any],
        order_id: FromPath[UUID],
        order: Injected[Parts],
        token: LinkToken = None,
    ) -> Response[OrderView]:
        who = _reader(request, token)
        return answer(await order.requests.read(who, order_id), who)

    @get(
        "/{order_id:uuid}/events",
        public=by_link,
        operation_id="listOrderEvents",
        summary="What happened to an order",
        responses=documented(400, 401, 404, 503),
    )
    async def list_events(
        self,
        *,
        request: Request[Any, Any, Any],
        order_id: FromPath[UUID],
        order: Injected[Parts],
        token: LinkToken = None,
    ) -> Response[TimelineView]:
        who = _reader(request, token)
        await order.requests.read(who, order_id)
        view = TimelineView(
            [EventView.of(each, admin=who.is_admin) for each in await order.orders.timeline(order_id)],
            [ShipmentView.of(each) for each in await order.orders.shipments(order_id)],
            [RefundView.of(each, admin=who.is_admin) for each in await order.refunds.of(order_id)],
        )
        return Response(view, headers={"Cache-Control": "private, no-cache"})

    @post(
        "/{order_id:uuid}/payment",
        status_code=200,
        operation_id="payOrder",
        summary="Where to pay the order; the same page while it lives",
        responses=documented(400, 401, 404, 409, 503),
    )
    async def pay(
        self, *, request: CallerRequest, order_id: FromPath[UUID], order: Injected[Parts]
    ) -> PaymentPageView:
        """409 while the stock is not held yet (`state` is `placed`: ask again in a moment), and when it is over."""
        page = await order.requests.pay(caller(request), order_id)
        return PaymentPageView(page.url or "")

    @post(
        "/{order_id:uuid}/cancel",
        status_code=200,
        operation_id="cancelOrder",
        summary="Cancel an order that is not on its way; what was paid is given back",
        responses=documented(400, 401, 404, 409, 412, 422, 428, 503),
    )
    @idempotent
    async def cancel(
        self,
        *,
        request: CallerRequest,
        order_id: FromPath[UUID],
        order: Injected[Parts],
        if_match: IfMatch = None,
    ) -> Response[OrderView]:
        """Administrators send If-Match. Owners may: whatever the order has become meanwhile, they do not want it."""
        who = caller(request)
        versions = preconditions.versions(if_match, required=who.is_admin)
        return answer(await order.requests.cancel(who, order_id, versions), who)

    @post(
        "/{order_id:uuid}/again",
        status_code=200,
        operation_id="orderAgain",
        summary="Have what was ordered in the cart again",
        responses=documented(400, 401, 404, 409, 503),
    )
    async def again(
        self,
        *,
        request: CallerRequest,
        order_id: FromPath[UUID],
        order: Injected[Parts],
        lang: Lang = Language.KO,
    ) -> OrderedAgain:
        """At least as much of each, at today's prices; nothing is taken out of the cart. Repeating is harmless."""
        lines = await order.requests.bought(caller(request), order_id)
        shown, left_out = await order.carting.again(request.user.subject, lines, lang.value)
        return OrderedAgain(list(left_out), CartView.of(shown))

    @post(
        "/claim",
        status_code=200,
        operation_id="claimOrders",
        summary="Take over the orders that were made as a guest with the caller's confirmed address",
        responses=documented(400, 401, 403, 503),
    )
    async def claim(self, *, request: CallerRequest, order: Injected[Parts]) -> Claimed:
        """Repeating is harmless."""
        if GUEST in request.user.roles:
            raise Forbidden("Guests have no account.")
        account = await order.accounts.of(request.user.token)
        return Claimed(await order.claiming.claim(account))


def caller(request: CallerRequest) -> Caller:
    return Caller(request.user.subject, ADMIN in request.user.roles)


def answer(
    order: Order, who: Caller, status: int = 200, headers: dict[str, str] | None = None
) -> Response[OrderView]:
    return Response(
        OrderView.of(order, owner=order.owner == who.id, admin=who.is_admin),
        status_code=status,
        headers={
            "ETag": preconditions.etag(order.version),
            "Cache-Control": "private, no-cache",
            **(headers or {}),
        },
    )


def _reader(request: Request[Any, Any, Any], token: str | None) -> Caller:
    identity = request.scope.get("user")
    if isinstance(identity, Identity):
        return Caller(identity.subject, ADMIN in identity.roles)
    return Caller(None, link=links.digest(token or ""))


async def _wish(request: CallerRequest, order: Parts, data: Placement) -> Wish:
    guest = GUEST in request.user.roles
    email = data.email
    if (
        email is None
    ):  # a guest has no account that could name one, and is told so beside whatever else is wrong
        email = "" if guest else (await order.accounts.of(request.user.token)).email
    return Wish(
        owner=request.user.subject,
        guest=guest,
        cart_version=data.cart_version,
        expected_total=data.expected_total,
        address=data.address.address(),
        email=email,
        lang=data.lang,
    )
