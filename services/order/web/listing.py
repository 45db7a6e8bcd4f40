"""Lists of orders: their cursors and pages."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.chassis import pages
from services.chassis.pages import Page
from services.order.application.ports import OrderSort
from services.order.application.requests import Caller
from services.order.domain.orders import Order
from services.order.web.schemas import OrderView


def after(cursor: str | None, sort: OrderSort = OrderSort.LATEST) -> tuple[datetime, UUID] | None:
    """Where the page starts. Raises InvalidInput for a cursor that is not of such a list."""
    return None if cursor is None else pages.decode(cursor, sort.value, datetime)


def page(
    found: Sequence[Order], limit: int, who: Caller, sort: OrderSort = OrderSort.LATEST
) -> Page[OrderView]:
    """`found` has one order more than `limit` where there is a next page."""
    shown = found[:limit]
    following = pages.encode(sort.value, shown[-1].placed_at, shown[-1].id) if len(found) > limit else None
    return Page(
        [OrderView.of(order, owner=order.owner == who.id, admin=who.is_admin) for order in shown], following
    )
