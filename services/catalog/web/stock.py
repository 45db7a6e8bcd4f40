"""`/api/stock`: how much there is of what, and what a person corrects of it, with the journal that says why."""

from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta

from common import visible_text
from common.field_codes import InvalidValue
from services.catalog.application.stock import Adjustment, Entry, StockLevel, StockQuery, StockSort
from services.catalog.domain.reservations import MAX_ADJUSTMENT
from services.catalog.domain.stock import Availability, availability
from services.catalog.web.parts import Parts
from services.catalog.web.products import ADMIN
from services.catalog.web.schemas import Sku
from services.catalog.web.shop_views import StoreView
from services.chassis import pages
from services.chassis.errors import FieldError, InvalidInput
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from services.chassis.problems import documented

MAX_NOTE = 200
_JOURNAL = "-id"


class Reason(Enum):
    """Why a person changes what is on hand."""

    DELIVERY = "delivery"
    COUNT = "count"
    DAMAGED = "damaged"
    LOST = "lost"
    RETURNED = "returned"
    CORRECTION = "correction"


class StockView(msgspec.Struct, frozen=True):
    """`available` is `on_hand` without what is `reserved` for orders. `for_sale`: it and its product are active."""

    variant_id: UUID
    sku: str
    product_id: UUID
    slug: str
    names: dict[str, str]
    option_names: dict[str, str]
    for_sale: bool
    on_hand: int
    reserved: int
    available: int
    availability: Availability

    @classmethod
    def of(cls, level: StockLevel, view: StoreView) -> "StockView":
        stock = level.stock
        return cls(
            level.variant,
            level.sku,
            level.product,
            level.slug,
            level.names,
            level.option_names,
            level.for_sale,
            stock.on_hand,
            stock.reserved,
            stock.available,
            availability(stock.available, view.few_left),
        )


class EntryView(msgspec.Struct, frozen=True):
    """One line of the journal; `on_hand` is what there was after it. `actor` is an account's id, or `order`."""

    id: int
    variant_id: UUID
    sku: str
    change: int
    on_hand: int
    reason: str
    note: str
    actor: str
    order_id: UUID | None
    at: datetime

    @classmethod
    def of(cls, entry: Entry) -> "EntryView":
        return cls(
            entry.id,
            entry.variant,
            entry.sku,
            entry.change,
            entry.on_hand,
            entry.reason,
            entry.note,
            entry.actor,
            entry.order,
            entry.at,
        )


class NewAdjustment(msgspec.Struct, frozen=True):
    """So many units more (above zero) or fewer (below) are on hand; or so many were counted, whatever was believed."""

    sku: Annotated[Sku, Meta(pattern=r"^[A-Za-z0-9._-]+$(?!\n)")]
    reason: Reason
    change: Annotated[int, Meta(ge=-MAX_ADJUSTMENT, le=MAX_ADJUSTMENT, examples=[20])] | None = None
    counted: Annotated[int, Meta(ge=0, le=MAX_ADJUSTMENT, examples=[12])] | None = None
    note: Annotated[str, Meta(extra_json_schema={"extra": {"max_length": MAX_NOTE}})] = ""


class StockController(Controller):
    path = "/api/stock"
    tags = ("stock",)
    security = ({"bearer": []},)

    @get(
        operation_id="listStock",
        summary="Stock by SKU",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 503),
    )
    async def list_stock(
        self,
        *,
        catalog: Injected[Parts],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        sku: Annotated[
            str | None,
            QueryParameter(
                name="sku",
                max_length=64,
                pattern=r"^[A-Za-z0-9._-]*$(?!\n)",
                description="Start of the SKU.",
            ),
        ] = None,
        at_most: Annotated[
            int | None,
            QueryParameter(
                name="at_most", ge=0, le=MAX_ADJUSTMENT, description="Only where so few are available."
            ),
        ] = None,
        product_id: Annotated[
            UUID | None, QueryParameter(name="product_id", description="Only this product's.")
        ] = None,
        for_sale: Annotated[
            bool, QueryParameter(name="for_sale", description="Only what is active, of products that are.")
        ] = False,
        sort: Annotated[
            StockSort, QueryParameter(name="sort", description="By SKU, or what runs out first.")
        ] = StockSort.SKU,
    ) -> Page[StockView]:
        query = StockQuery(
            prefix=sku or "",
            product=product_id,
            at_most=at_most,
            for_sale=for_sale,
            sort=sort,
            limit=limit + 1,
            after=_after(cursor, sort),
        )
        found = await catalog.stock.levels(query)
        shown, following = found[:limit], None
        if len(found) > limit:
            last = shown[-1]
            following = pages.encode(sort.value, (last.stock.available, last.sku), last.variant)
        return Page([StockView.of(level, catalog.view) for level in shown], following)

    @get(
        "/journal",
        operation_id="listStockJournal",
        summary="What changed stock, the latest first",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 503),
    )
    async def list_journal(
        self,
        *,
        catalog: Injected[Parts],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        variant_id: Annotated[
            UUID | None, QueryParameter(name="variant_id", description="Only this variant's.")
        ] = None,
    ) -> Page[EntryView]:
        before = None
        if cursor is not None:
            before, _ = pages.decode(cursor, _JOURNAL, int)
        found = await catalog.stock.journal(variant_id, limit + 1, before)
        shown = found[:limit]
        following = pages.encode(_JOURNAL, shown[-1].id, shown[-1].variant) if len(found) > limit else None
        return Page([EntryView.of(entry) for entry in shown], following)

    @post(
        "/adjustments",
        operation_id="adjustStock",
        summary="Correct what is on hand, with a line in the journal",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 404, 409, 413, 422, 503),
    )
    @idempotent
    async def adjust_stock(
        self,
        *,
        request: CallerRequest,
        catalog: Injected[Parts],
        data: JSONBody[NewAdjustment],
    ) -> Response[StockView]:
        """Send an idempotency key: an adjustment that is sent twice would count twice. 409 where orders have more.

        Either `change` or `counted`. A count that finds what was believed leaves no line in the journal.
        """
        if (data.change is None) == (data.counted is None):
            raise InvalidInput(
                [FieldError.of("change", "required" if data.change is None else "not_allowed")]
            )
        if data.change == 0:
            raise InvalidInput([FieldError.of("change", "not_allowed")])
        level = await catalog.stock.adjust(
            data.sku,
            Adjustment(
                data.change or 0,
                data.reason.value,
                _note(data.note),
                str(request.user.subject),
                counted=data.counted,
            ),
        )
        return Response(StockView.of(level, catalog.view), status_code=201)


def _after(cursor: str | None, sort: StockSort) -> tuple[int, str] | None:
    if cursor is None:
        return None
    last, _ = pages.decode(cursor, sort.value, tuple[int, str])
    return last


def _note(text: str) -> str:
    try:
        return "" if visible_text.is_blank(text) else visible_text.line(text, MAX_NOTE)
    except InvalidValue as fault:
        raise InvalidInput([FieldError.refusing("note", fault)]) from fault
