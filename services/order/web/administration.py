"""What administrators do with orders: find them, send them, give money back."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from common import email_address, visible_text
from common.field_codes import InvalidValue
from services.chassis import preconditions
from services.chassis.errors import FieldError, InvalidInput
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.intervals import interval, moment
from services.chassis.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from services.chassis.problems import documented
from services.order.application.ports import OrderQuery, OrderSort
from services.order.application.refunding import Wanted
from services.order.domain.orders import Shipment
from services.order.domain.states import State
from services.order.web import listing
from services.order.web.orders import ADMIN, IfMatch, answer, caller
from services.order.web.parts import Parts
from services.order.web.schemas import (
    NewRefund,
    NewShipment,
    OrderSummary,
    OrderView,
    RefundPreview,
    RefundView,
)

CHANGE_REFUSALS = documented(400, 401, 403, 404, 409, 412, 413, 422, 428, 503)
_LONGEST = 100


class AdministrationController(Controller):
    path = "/api/orders"
    tags = ("orders",)
    security = ({"bearer": []},)

    @get(
        "/all",
        operation_id="listAllOrders",
        summary="Everybody's orders, the latest first or the oldest",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 503),
    )
    async def list_all(
        self,
        *,
        request: CallerRequest,
        order: Injected[Parts],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        in_state: Annotated[
            State | None, QueryParameter(name="state", description="Only orders in this state.")
        ] = None,
        email: Annotated[
            str | None, QueryParameter(name="email", max_length=254, description="Only with this address.")
        ] = None,
        number: Annotated[
            int | None, QueryParameter(name="number", ge=1, le=2**62, description="Only this number.")
        ] = None,
        recipient: Annotated[
            str | None,
            QueryParameter(
                name="recipient",
                min_length=2,
                max_length=100,
                description="Only with this in the recipient's name, whatever its case.",
            ),
        ] = None,
        placed_from: Annotated[
            datetime | None, QueryParameter(name="placed_from", description="Placed at or after (RFC 3339).")
        ] = None,
        placed_before: Annotated[
            datetime | None, QueryParameter(name="placed_before", description="Placed before (RFC 3339).")
        ] = None,
        sort: Annotated[
            OrderSort, QueryParameter(name="sort", description="`placed_at` is the oldest first.")
        ] = OrderSort.LATEST,
    ) -> Page[OrderView]:
        query = OrderQuery(
            limit=limit + 1,
            sort=sort,
            states=(in_state,) if in_state else (),
            email=_email(email),
            number=number,
            recipient=None if recipient is None else _line("recipient", recipient),
            placed_from=moment("placed_from", placed_from) if placed_from else None,
            placed_before=moment("placed_before", placed_before) if placed_before else None,
            after=listing.after(cursor, sort),
        )
        return listing.page(await order.orders.page(query), limit, caller(request), sort)

    @get(
        "/summary",
        operation_id="summariseOrders",
        summary="How many orders are in which state",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 503),
    )
    async def summarise(
        self,
        *,
        order: Injected[Parts],
        placed_from: Annotated[
            datetime, QueryParameter(name="placed_from", description="Placed at or after (RFC 3339).")
        ],
        placed_before: Annotated[
            datetime,
            QueryParameter(
                name="placed_before", description="Placed before, at most 32 days later (RFC 3339)."
            ),
        ],
    ) -> OrderSummary:
        placed = interval(placed_from, placed_before, ("placed_from", "placed_before"))
        return OrderSummary.of(
            await order.orders.summary(placed.since, placed.before), order.carting.currency
        )

    @post(
        "/{order_id:uuid}/shipments",
        operation_id="shipOrder",
        summary="Say that a paid order is on its way",
        roles=(ADMIN,),
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def ship(
        self,
        *,
        request: CallerRequest,
        order_id: FromPath[UUID],
        order: Injected[Parts],
        data: JSONBody[NewShipment],
        if_match: IfMatch = None,
    ) -> Response[OrderView]:
        who = caller(request)
        shipment = _shipment(data, order.requests.clock())
        versions = preconditions.versions(if_match)
        return answer(await order.requests.ship(who, order_id, shipment, versions), who, 201)

    @post(
        "/{order_id:uuid}/shipments/corrections",
        operation_id="correctShipment",
        summary="Put right the carrier and tracking number of an order that was sent",
        roles=(ADMIN,),
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def correct_shipment(
        self,
        *,
        request: CallerRequest,
        order_id: FromPath[UUID],
        order: Injected[Parts],
        data: JSONBody[NewShipment],
        if_match: IfMatch = None,
    ) -> Response[OrderView]:
        """The timeline keeps what was said before, and the shopper gets a mail with what is right."""
        who = caller(request)
        versions = preconditions.versions(if_match)
        right = _shipment(data, order.requests.clock())
        return answer(await order.requests.correct_shipment(who, order_id, right, versions), who, 201)

    @post(
        "/{order_id:uuid}/deliveries",
        operation_id="deliverOrder",
        summary="Say that an order has arrived",
        roles=(ADMIN,),
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def deliver(
        self,
        *,
        request: CallerRequest,
        order_id: FromPath[UUID],
        order: Injected[Parts],
        if_match: IfMatch = None,
    ) -> Response[OrderView]:
        who = caller(request)
        versions = preconditions.versions(if_match)
        return answer(await order.requests.deliver(who, order_id, versions), who, 201)

    @post(
        "/{order_id:uuid}/refunds/preview",
        status_code=200,
        operation_id="previewRefund",
        summary="What a refund would come to; changes nothing",
        roles=(ADMIN,),
        audited=False,
        responses=documented(400, 401, 403, 404, 409, 413, 503),
    )
    async def preview_refund(
        self,
        *,
        order_id: FromPath[UUID],
        order: Injected[Parts],
        data: JSONBody[NewRefund],
    ) -> RefundPreview:
        return RefundPreview.of(await order.refunding.preview(order_id, _wanted(data)))

    @post(
        "/{order_id:uuid}/refunds",
        operation_id="refundOrder",
        summary="Give money back, by lines or by amount",
        roles=(ADMIN,),
        responses=CHANGE_REFUSALS,
    )
    @idempotent
    async def refund(
        self,
        *,
        request: CallerRequest,
        order_id: FromPath[UUID],
        order: Injected[Parts],
        data: JSONBody[NewRefund],
        if_match: IfMatch = None,
    ) -> Response[RefundView]:
        """Send an idempotency key, If-Match, and what the preview said as `expected_amount`: of two refunds at once the
        second is refused, and what is done is what was shown."""
        versions = preconditions.versions(if_match)
        wanted, actor = _wanted(data), str(request.user.subject)
        id_ = await order.refunding.refund(order_id, wanted, actor=actor, versions=versions)
        refund = next(each for each in await order.refunds.of(order_id) if each.id == id_)
        return Response(RefundView.of(refund, admin=True), status_code=201)


def _shipment(data: NewShipment, now: datetime) -> Shipment:
    return Shipment(
        carrier=_line("carrier", data.carrier),
        tracking_number=_line("tracking_number", data.tracking_number, optional=True),
        at=now,
    )


def _wanted(data: NewRefund) -> Wanted:
    by_lines = bool(data.lines) or data.shipping
    if by_lines == (data.amount is not None):
        raise InvalidInput([FieldError.of("amount", "not_allowed" if by_lines else "required")])
    lines: dict[int, int] = {}
    for line in data.lines:
        lines[line.line] = lines.get(line.line, 0) + line.quantity
    return Wanted(
        lines=lines,
        shipping=data.shipping,
        amount=data.amount,
        reason=data.reason,
        note=_line("note", data.note, 200, optional=True),
        expected=data.expected_amount,
    )


def _line(field: str, text: str, longest: int = _LONGEST, *, optional: bool = False) -> str:
    try:
        return "" if optional and visible_text.is_blank(text) else visible_text.line(text, longest)
    except InvalidValue as fault:
        raise InvalidInput([FieldError.refusing(field, fault)]) from fault


def _email(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return email_address.normalise(text)
    except InvalidValue as fault:
        raise InvalidInput([FieldError.refusing("email", fault)]) from fault
