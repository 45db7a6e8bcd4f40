"""/admin: how the day goes, and what waits for somebody."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from litestar import Controller, get
from litestar.response.base import ASGIResponse

from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.fulfilment.searching import STATES
from frontend_proxy.pages.site import require_status
from frontend_proxy.pages.today.day import bounds

MOST_COUNTED = 100
"""Dead letters of a service that are counted; more are shown as so many and more."""
LATER = ("held", "paying")
"""It is the shopper's turn: nothing for the shopkeeper to do."""


class TodayPage(Controller):
    """For administrators. One call of bff; what is away has a sentence in its place."""

    path = "/admin"

    @get("/")
    async def show(self, site: InjectedSite, admin: InjectedPageContext) -> ASGIResponse:
        begins, ends = bounds(datetime.now(UTC), site.views.zone)
        query = {"from": begins.isoformat(), "before": ends.isoformat()}
        answer = await site.backend.call(admin, "GET", "/api/today", query=query, within=PATIENCE)
        today = require_status(answer, 200).document()
        orders = today["orders"]
        return site.views.page(
            admin,
            "today/today.html",
            date=begins.isoformat(),
            today=today,
            placed=_listed(orders["placed"]) if orders else [],
            working=_listed(orders["open"], without=("paid", *LATER)) if orders else [],
            stuck=[each for each in today["stuck"] if each["dead"] or each["late_since"]],
            most=MOST_COUNTED,
            unknown=[name.removeprefix("stuck_") for name in today["degraded"] if name.startswith("stuck_")],
        )


def _listed(numbers: Mapping[str, Any], without: tuple[str, ...] = ()) -> list[tuple[str, int]]:
    """In the order in which states are asked for."""
    return [(state, numbers[state]) for state in STATES if state in numbers and state not in without]
