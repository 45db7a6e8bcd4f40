"""/admin/orders: everybody's orders, by state, number, address, recipient or id."""

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter
from litestar.response.base import ASGIResponse

from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.fulfilment.searching import STATES, search
from frontend_proxy.pages.site import redirect, require_status

ON_A_PAGE = "20"
QUICK = ("paid", "shipped")
"""States with a link of their own, as they are looked at all day."""


WORKED_THROUGH = frozenset(("paid", "placed", "authorised", "committed", "closing", "releasing", "refunding"))
"""States in which an order waits for somebody: whoever has waited longest comes first."""


class OrderList(Controller):
    """For administrators."""

    path = "/admin/orders"

    @get("/")
    async def index(
        self,
        site: InjectedSite,
        admin: InjectedPageContext,
        q: FromQuery[str] = "",
        in_state: Annotated[str, QueryParameter(name="state")] = "",
        cursor: FromQuery[str] = "",
    ) -> ASGIResponse:
        wanted = search(q)
        if wanted.id is not None:
            return redirect(f"/admin/orders/{wanted.id}")
        state = in_state if in_state in STATES else ""
        orders: dict[str, Any] = {"items": [], "next_cursor": None}
        unreadable = wanted.query is None
        if wanted.query is not None:
            query = {"limit": ON_A_PAGE, **wanted.query}
            query |= {name: text for name, text in (("state", state), ("cursor", cursor)) if text}
            if state in WORKED_THROUGH:
                query["sort"] = "placed_at"
            answer = await site.backend.call(admin, "GET", "/api/orders/all", query=query, within=PATIENCE)
            unreadable = answer.status == 400 and not wanted.query.keys().isdisjoint(("email", "recipient"))
            if not unreadable:
                orders = require_status(answer, 200).document()
        if wanted.query and "number" in wanted.query and len(orders["items"]) == 1:
            return redirect(f"/admin/orders/{orders['items'][0]['id']}")
        kept = {name: text for name, text in (("q", q.strip()), ("state", state)) if text}
        return site.views.page(
            admin,
            "fulfilment/index.html",
            orders=orders,
            q=q.strip(),
            state=state,
            states=STATES,
            quick=QUICK,
            oldest_first=state in WORKED_THROUGH,
            unreadable=unreadable,
            first=_address(kept) if cursor else None,
            following=_address({**kept, "cursor": orders["next_cursor"]}) if orders["next_cursor"] else None,
        )


def _address(query: dict[str, str]) -> str:
    return "/admin/orders" + (f"?{urlencode(query)}" if query else "")
