"""The bodies of the order service's calls."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from services.order.application.carting import ShownCart
from services.order.application.ports import Refund, Summary
from services.order.domain import actions
from services.order.domain.carts import MAX_LINES, MAX_QUANTITY
from services.order.domain.orders import Address, Line, Occurrence, Order, Shipment
from services.order.domain.refunds import Plan

Text = Annotated[str, Meta(extra_json_schema={"extra": {"max_length": 100}})]
Amount = Annotated[int, Meta(ge=0, le=10**15)]


class ItemQuantity(msgspec.Struct, frozen=True):
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY, examples=[2])]


class GuestCart(msgspec.Struct, frozen=True):
    """`guest_token`: the access token of the guest whose cart comes along."""

    guest_token: Annotated[str, Meta(min_length=1, max_length=8192)]


class AddressBody(msgspec.Struct, frozen=True):
    """`phone` with the country's prefix; `country` ISO 3166-1 alpha-2, one that the shop sends to."""

    recipient: Text
    phone: Annotated[str, Meta(examples=["+821012345678"])]
    line1: Text
    city: Text
    postal_code: Text
    country: Annotated[str, Meta(examples=["KR"])]
    line2: str = ""

    def address(self) -> Address:
        return Address(
            recipient=self.recipient,
            phone=self.phone,
            line1=self.line1,
            line2=self.line2,
            city=self.city,
            postal_code=self.postal_code,
            country=self.country,
        )

    @classmethod
    def of(cls, address: Address) -> "AddressBody":
        return cls(
            recipient=address.recipient,
            phone=address.phone,
            line1=address.line1,
            city=address.city,
            postal_code=address.postal_code,
            country=address.country,
            line2=address.line2,
        )


class Placement(msgspec.Struct, frozen=True):
    """`cart_version` and `expected_total` are those of the cart that the shopper saw. `email` may be left out by
    members: then it is the account's."""

    cart_version: Annotated[int, Meta(ge=1, le=2**62)]
    address: AddressBody
    expected_total: Amount
    email: Annotated[str, Meta(max_length=1024)] | None = None
    lang: Literal["ko", "en"] = "ko"


class CartLine(msgspec.Struct, frozen=True):
    """`unit_price` is today's, VAT included; `tax` the VAT within the whole line. `quantity` may be more than
    `available`: then the line is in `unavailable` too."""

    sku: str
    variant_id: UUID
    product_id: UUID
    slug: str
    name: dict[str, str]
    option_names: dict[str, str]
    image: str | None
    quantity: int
    unit_price: int
    compare_at_price: int | None
    vat_rate: int
    tax: int
    available: int
    availability: str


class CartUnavailable(msgspec.Struct, frozen=True, omit_defaults=True):
    """`name` and `image` of what is known and cannot be had at all."""

    sku: str
    reason: str
    left: int
    name: dict[str, str] = {}
    image: str | None = None


class CartChange(msgspec.Struct, frozen=True):
    """A unit price that is not what the shopper saw when the cart was changed last."""

    sku: str
    before: int
    now: int


class CartView(msgspec.Struct, frozen=True):
    """`total` is `items` and `shipping`; with `version` it is what an order is placed with. Shipping is free from
    `free_shipping_from` on; null: never."""

    version: int
    currency: str
    lines: list[CartLine]
    unavailable: list[CartUnavailable]
    changes: list[CartChange]
    items: int
    shipping: int
    tax: int
    total: int
    free_shipping_from: int | None
    countries: Annotated[
        list[str],
        Meta(
            description="Where the shop sends to, ISO 3166-1 alpha-2, the usual one first.", examples=[["KR"]]
        ),
    ]

    @classmethod
    def of(cls, shown: ShownCart) -> "CartView":
        quote = shown.quote
        return cls(
            version=shown.version,
            currency=quote.currency,
            lines=[
                CartLine(
                    sku=line.sku,
                    variant_id=line.variant,
                    product_id=line.product,
                    slug=line.slug,
                    name=line.names,
                    option_names=line.option_names,
                    image=line.image,
                    quantity=line.quantity,
                    unit_price=line.unit_price,
                    compare_at_price=line.compare_at_price,
                    vat_rate=line.vat_rate,
                    tax=line.tax,
                    available=line.available,
                    availability=line.availability,
                )
                for line in quote.lines
            ],
            unavailable=[
                CartUnavailable(each.sku, each.reason, each.left, each.names, each.image)
                for each in quote.unavailable
            ],
            changes=[CartChange(each.sku, each.before, each.now) for each in shown.changes],
            items=quote.total,
            shipping=shown.shipping,
            tax=shown.tax,
            total=shown.total,
            free_shipping_from=shown.free_from,
            countries=list(shown.countries),
        )


class OrderedAgain(msgspec.Struct, frozen=True):
    """`left_out`: SKUs of the order that the shop does not sell any more."""

    left_out: list[str]
    cart: CartView


class LineView(msgspec.Struct, frozen=True):
    """As it was when the order was placed."""

    position: int
    sku: str
    variant_id: UUID
    product_id: UUID
    slug: str
    name: dict[str, str]
    option_names: dict[str, str]
    image: str | None
    quantity: int
    unit_price: int
    vat_rate: int
    total: int
    tax: int

    @classmethod
    def of(cls, line: Line) -> "LineView":
        return cls(
            line.position,
            line.sku,
            line.variant,
            line.product,
            line.slug,
            line.names,
            line.option_names,
            line.image,
            line.quantity,
            line.unit_price,
            line.vat_rate,
            line.total,
            line.tax,
        )


class PaymentView(msgspec.Struct, frozen=True):
    """What payment said last of the order's money."""

    state: str
    authorised: int
    captured: int
    refunded: int
    refund_pending: int


class OrderView(msgspec.Struct, frozen=True):
    """`actions`: what the caller may ask of it now. `hold_until`: unpaid by then, it is closed. `tax` is the VAT within
    `total`; `owner` is shown to administrators."""

    id: UUID
    number: str
    state: str
    reason: str | None
    version: int
    currency: str
    items: int
    shipping: int
    tax: int
    total: int
    email: str
    guest: bool
    owner: UUID | None
    address: AddressBody
    lines: list[LineView]
    payment: PaymentView
    actions: list[str]
    hold_until: datetime
    placed_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, order: Order, *, owner: bool, admin: bool) -> "OrderView":
        payment = order.payment
        return cls(
            id=order.id,
            number=str(order.number),
            state=order.state.value,
            reason=order.reason.value if order.reason else None,
            version=order.version,
            currency=order.currency,
            items=order.items,
            shipping=order.shipping,
            tax=order.tax,
            total=order.total,
            email=order.email,
            guest=order.guest,
            owner=order.owner if admin else None,
            address=AddressBody.of(order.address),
            lines=[LineView.of(line) for line in order.lines],
            payment=PaymentView(
                payment.state,
                payment.authorised,
                payment.captured,
                payment.refunded,
                payment.refund_pending,
            ),
            actions=list(actions.allowed(order, owner=owner, admin=admin)),
            hold_until=order.hold_until,
            placed_at=order.placed_at,
            updated_at=order.updated_at,
        )


class EventView(msgspec.Struct, frozen=True):
    """`state` is the order's after it. `actor`: for administrators, an account's id; empty for the house."""

    at: datetime
    event: str
    state: str
    actor: str
    note: str

    @classmethod
    def of(cls, occurrence: Occurrence, *, admin: bool) -> "EventView":
        actor = occurrence.actor if admin else ""
        return cls(occurrence.at, occurrence.event, occurrence.state, actor, occurrence.note)


class ShipmentView(msgspec.Struct, frozen=True):
    carrier: str
    tracking_number: str
    at: datetime

    @classmethod
    def of(cls, shipment: Shipment) -> "ShipmentView":
        return cls(shipment.carrier, shipment.tracking_number, shipment.at)


class RefundPartView(msgspec.Struct, frozen=True):
    line: int
    quantity: int
    amount: int


class RefundView(msgspec.Struct, frozen=True):
    """`state`: asked, pending, done or failed. `note` and `actor`, an account's id, are for administrators."""

    id: UUID
    amount: int
    state: str
    reason: str
    lines: list[RefundPartView]
    shipping: bool
    created_at: datetime
    note: str
    actor: str

    @classmethod
    def of(cls, refund: Refund, *, admin: bool) -> "RefundView":
        return cls(
            refund.id,
            refund.amount,
            refund.state,
            refund.reason,
            [RefundPartView(*part) for part in refund.parts],
            refund.shipping,
            refund.created_at,
            refund.note if admin else "",
            refund.actor if admin else "",
        )


class TimelineView(msgspec.Struct, frozen=True):
    """Everything that happened, in its order."""

    events: list[EventView]
    shipments: list[ShipmentView]
    refunds: list[RefundView]


class PaymentPageView(msgspec.Struct, frozen=True):
    redirect_url: str


class NewShipment(msgspec.Struct, frozen=True):
    carrier: Text
    tracking_number: str = ""


class RefundLine(msgspec.Struct, frozen=True):
    """`line` is a line's `position`."""

    line: Annotated[int, Meta(ge=1, le=MAX_LINES)]
    quantity: Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class NewRefund(msgspec.Struct, frozen=True):
    """Either `lines` and `shipping`, or an `amount`, which is of no line. `expected_amount` is what the preview said:
    where it would come to another sum by now, nothing is done."""

    reason: Literal["returned", "damaged", "missing", "goodwill", "other"]
    lines: Annotated[list[RefundLine], Meta(max_length=MAX_LINES)] = []
    shipping: bool = False
    amount: Annotated[int, Meta(ge=1, le=10**15)] | None = None
    note: Annotated[str, Meta(max_length=200)] = ""
    expected_amount: Annotated[int, Meta(ge=1, le=10**15)] | None = None


class RefundPreview(msgspec.Struct, frozen=True):
    """`takes_rest`: nothing of the order is left after it."""

    amount: int
    lines: list[RefundPartView]
    shipping: bool
    takes_rest: bool

    @classmethod
    def of(cls, plan: Plan) -> "RefundPreview":
        parts = [RefundPartView(part.position, part.quantity, part.amount) for part in plan.parts]
        return cls(plan.amount, parts, plan.shipping, plan.takes_rest)


class OrderSummary(msgspec.Struct, frozen=True):
    """`placed`: orders of the interval, by the state that they are in now. `open`: all that something still happens to,
    at most 1,000 of a state. `unsent_since`: when the oldest order was placed that is paid and not sent.
    `currency` is the shop's."""

    placed: dict[str, int]
    open: dict[str, int]
    unsent_since: datetime | None
    currency: str

    @classmethod
    def of(cls, summary: Summary, currency: str) -> "OrderSummary":
        return cls(dict(summary.placed), dict(summary.open), summary.unsent_since, currency)


class Claimed(msgspec.Struct, frozen=True):
    """So many orders are the caller's now that were a guest's."""

    claimed: int


class RefundReport(msgspec.Struct, frozen=True):
    refund_id: UUID
    state: Literal["pending", "done", "failed"]


class PaymentReport(msgspec.Struct, frozen=True):
    """The payment's whole present state; amounts in minor units of the order's currency. `refunds`: each that the order
    has asked for, as it is now; a done one may have failed since."""

    state: Literal[
        "new",
        "session_open",
        "authorised",
        "capturing",
        "captured",
        "voiding",
        "voided",
        "failed",
        "refunding",
        "refunded",
    ]
    authorised: Amount
    captured: Amount
    refunded: Amount
    occurred_at: datetime
    refund_pending: Amount = 0
    refunds: list[RefundReport] = []
