"""`/internal/*`: for the order service, never routed by the gateway."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from services.catalog.application.quotes import Quote
from services.catalog.domain.pricing import Missing, Wanted
from services.catalog.domain.reservations import MAX_LINES, MAX_QUANTITY, Goal, Line, State
from services.catalog.domain.stock import Availability
from services.catalog.web.parts import Parts
from services.chassis.injection import Injected
from services.chassis.problems import documented

Quantity = Annotated[int, Meta(ge=1, le=MAX_QUANTITY)]


class WantedLine(msgspec.Struct, frozen=True):
    sku: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
    quantity: Quantity


class QuoteRequest(msgspec.Struct, frozen=True):
    """Lines with one SKU are summed."""

    lines: Annotated[list[WantedLine], Meta(min_length=1, max_length=MAX_LINES)]
    lang: str = "ko"


class QuotedLine(msgspec.Struct, frozen=True):
    """`unit_price` is in minor units of the quote's currency, VAT included; `tax` is the VAT within the whole line.

    `vat_rate` is in basis points. `option_names` is empty where there is nothing to choose.
    """

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
    availability: Availability


class UnavailableLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why it cannot be bought as it is; `left` can still be had. `name` and `image` where it is known and not in
    `lines`."""

    sku: str
    reason: Missing
    left: int
    name: dict[str, str] = {}
    image: str | None = None


class QuoteView(msgspec.Struct, frozen=True):
    """`total` and `tax` are the sums of `lines`. A line of which there are too few is priced and named in
    `unavailable`; the others that cannot be bought are in `unavailable` alone."""

    currency: str
    lines: list[QuotedLine]
    unavailable: list[UnavailableLine]
    total: int
    tax: int

    @classmethod
    def of(cls, quote: Quote) -> "QuoteView":
        return cls(
            currency=quote.currency,
            lines=[
                QuotedLine(
                    sku=line.offer.variant.sku,
                    variant_id=line.offer.variant.id,
                    product_id=line.offer.product,
                    slug=line.offer.slug,
                    name=line.offer.names,
                    option_names=line.offer.option_names,
                    image=line.offer.image,
                    quantity=line.quantity,
                    unit_price=line.offer.variant.price,
                    compare_at_price=line.offer.variant.compare_at_price,
                    vat_rate=line.vat_rate,
                    tax=line.tax,
                    available=line.offer.available,
                    availability=line.availability,
                )
                for line in quote.lines
            ],
            unavailable=[
                UnavailableLine(
                    each.sku,
                    each.reason,
                    each.left,
                    each.offer.names if each.offer else {},
                    each.offer.image if each.offer else None,
                )
                for each in quote.unavailable
            ],
            total=quote.total,
            tax=quote.tax,
        )


class ReservationLine(msgspec.Struct, frozen=True):
    variant_id: UUID
    quantity: Quantity


class ReservationGoal(msgspec.Struct, frozen=True):
    """The state that the order wants; its lines never change. Lines with one variant are summed."""

    goal: Goal
    lines: Annotated[list[ReservationLine], Meta(min_length=1, max_length=MAX_LINES)]


class Short(msgspec.Struct, frozen=True):
    variant_id: UUID
    left: int


class ReservationView(msgspec.Struct, frozen=True):
    """What the reservation is now. `short` says of what there was too little, in the answer that found it out."""

    state: State
    short: list[Short]


@post(
    "/internal/quotes",
    internal=True,
    status_code=200,
    operation_id="quote",
    summary="What lines cost now, and which can be had",
    tags=["internal"],
    security=[{"internal": []}],
    responses=documented(400, 401, 413, 503),
)
async def quote(*, data: JSONBody[QuoteRequest], catalog: Injected[Parts]) -> QuoteView:
    """One read; it holds nothing."""
    return QuoteView.of(await catalog.quotes.quote([Wanted(line.sku, line.quantity) for line in data.lines]))


@put(
    "/internal/reservations/{order_id:uuid}",
    internal=True,
    status_code=200,
    operation_id="reserve",
    summary="Bring an order's reservation to a state",
    tags=["internal"],
    security=[{"internal": []}],
    responses=documented(400, 401, 404, 409, 413, 503),
)
async def reserve(
    *, order_id: FromPath[UUID], data: JSONBody[ReservationGoal], catalog: Injected[Parts]
) -> ReservationView:
    """Repeating is harmless, in any order of arrival: a release that comes first leaves a tombstone."""
    lines = [Line(line.variant_id, line.quantity) for line in data.lines]
    outcome = await catalog.stock.pursue(order_id, data.goal, lines)
    return ReservationView(outcome.state, [Short(each.variant, each.left) for each in outcome.short])
