"""Lists of orders: their cursors and pages, the latest first."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.chassis import pages
from services.chassis.intervals import moment
from services.chassis.pages import Page
from services.order.application.requests import Caller
from services.order.domain.orders import Order
from services.order.web.schemas import OrderView

_LATEST = "-placed_at"


def after(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Where the page starts. Raises InvalidInput for a cursor that is not of such a list."""
    if cursor is None:
        return None
    at, id_ = pages.decode(cursor, _LATEST, datetime)
    return moment("cursor", at), id_


def page(found: Sequence[Order], limit: int, who: Caller) -> Page[OrderView]:
    """`found` has one order more than `limit` where there is a next page."""
    shown = found[:limit]
    following = pages.encode(_LATEST, shown[-1].placed_at, shown[-1].id) if len(found) > limit else None
    return Page(
        [OrderView.of(order, owner=order.owner == who.id, admin=who.is_admin) for order in shown], following
    )
