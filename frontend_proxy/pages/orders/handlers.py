"""/orders: what was ordered, and how it is going."""

import asyncio
import re
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms
from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.orders.progress import milestones, moving, story
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.problems import Problem

ON_A_PAGE = "10"
TRIES, PAUSE = 8, 0.25
"""An order that was placed just now gets its stock within milliseconds; it may be paid from then on."""

_HTTP = re.compile(r"https?://[^\s\"'<>]+", re.ASCII)


class OrderPages(Controller):
    """The orders of a member or a guest; one of them for whoever has its mailed link."""

    path = "/orders"

    @get("/")
    async def history(
        self,
        site: InjectedSite,
        visitor: InjectedPageContext,
        cursor: FromQuery[str] = "",
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        orders: dict[str, Any] = {"items": [], "next_cursor": None}
        if visitor.access is not None:
            query = {"limit": ON_A_PAGE, **({"cursor": cursor} if cursor else {})}
            answer = await site.backend.call(visitor, "GET", "/api/orders", query=query, within=PATIENCE)
            orders = require_status(answer, 200).document()
        return site.views.page(visitor, "orders/history.html", orders=orders, paged=bool(cursor), done=done)

    @get("/{id_:uuid}")
    async def show(
        self,
        site: InjectedSite,
        visitor: InjectedPageContext,
        id_: FromPath[UUID],
        token: FromQuery[str] = "",
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        order, timeline = await _order(site, visitor, id_, token)
        return site.views.page(
            visitor,
            "orders/order.html",
            order=order,
            timeline=timeline,
            milestones=milestones(order["state"]),
            story=story(timeline["events"]) if timeline else [],
            moving=moving(order),
            token=token,
            done=done,
        )

    @get("/{id_:uuid}/pay")
    async def pay(
        self, site: InjectedSite, visitor: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        """The way to the payment page: the same one while it lives, so that this may be asked for again. A page that
        leads on, not a redirect: browsers let no form end at another site that its page does not name."""
        if visitor.access is None:
            return redirect(f"/orders/{id_}")
        try:
            found = await _payment_page(site, visitor, id_)
        except Problem:
            return redirect(f"/orders/{id_}?done=pay_later")
        if found.url is None:
            return redirect(f"/orders/{id_}" + (f"?done={found.outcome}" if found.outcome else ""))
        return site.views.page(visitor, "orders/pay.html", url=found.url, id=id_)

    @post("/{id_:uuid}/cancel")
    async def cancel(
        self, site: InjectedSite, visitor: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        answer = await site.backend.call(visitor, "POST", f"/api/orders/{id_}/cancel")
        if answer.status == 200:
            return redirect(f"/orders/{id_}?done=cancelling")
        if answer.status == 409:
            return redirect(f"/orders/{id_}?done=too_late")
        require_status(answer, 200)
        return redirect(f"/orders/{id_}")

    @post("/{id_:uuid}/again")
    async def again(
        self, site: InjectedSite, visitor: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        """Puts what was ordered into the cart again. The page names what is no longer sold."""
        answer = await site.backend.call(visitor, "POST", f"/api/orders/{id_}/again")
        if answer.status == 409:
            return redirect("/cart?done=full")
        left_out = require_status(answer, 200).document()["left_out"]
        return redirect("/cart?done=left_out" if left_out else "/cart")

    @get("/claim")
    async def to_history(self) -> ASGIResponse:
        return redirect("/orders")

    @get(["/{id_:uuid}/cancel", "/{id_:uuid}/again"])
    async def back(self, id_: FromPath[UUID]) -> ASGIResponse:
        return redirect(f"/orders/{id_}")

    @post("/claim")
    async def claim(
        self, request: PageRequest, site: InjectedSite, member: InjectedPageContext
    ) -> ASGIResponse:
        """Takes over what was ordered as a guest with the account's confirmed address."""
        answer = await site.backend.call(member, "POST", "/api/orders/claim")
        if answer.status == 403:
            return redirect("/orders?done=unconfirmed")
        claimed = require_status(answer, 200).document()["claimed"]
        return redirect(f"/orders?{urlencode({'done': 'claimed' if claimed else 'none_claimed'})}")


class _Way(NamedTuple):
    url: str | None
    outcome: str = ""


async def _payment_page(site: Site, visitor: PageContext, id_: UUID) -> _Way:
    """Raises Problem where a part is down."""
    for _ in range(TRIES):
        answer = await site.backend.call(visitor, "POST", f"/api/orders/{id_}/payment")
        if answer.status == 200:
            url = answer.document()["redirect_url"]
            return _Way(url) if _HTTP.fullmatch(url) else _Way(None, "pay_later")
        if forms.problem_name(answer) != "order-state":
            return _Way(None, "" if answer.status in {404, 409} else "pay_later")
        if answer.document().get("state") != "placed":
            return _Way(None)
        await asyncio.sleep(PAUSE)
    return _Way(None)


async def _order(
    site: Site, visitor: PageContext, id_: UUID, token: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The order and its timeline; None for a timeline that cannot be had. One's own first, then by the link."""
    path = f"/api/orders/{id_}"
    answer: Answer | None = None
    if visitor.access is not None:
        answer, timeline = await asyncio.gather(_get(site, visitor, path), _events(site, visitor, path))
    if token and (answer is None or answer.status in {401, 403, 404}):
        answer, timeline = await asyncio.gather(
            _get(site, visitor, path, token), _events(site, visitor, path, token)
        )
    if answer is None:
        raise Problem(404, "order-elsewhere", "Whose order this is cannot be told.")
    if answer.status == 404:
        raise Problem(404, "order-elsewhere", "There is no such order of theirs.")
    return require_status(answer, 200).document(), timeline


async def _get(site: Site, visitor: PageContext, path: str, token: str = "") -> Answer:
    if not token:
        return await site.backend.call(visitor, "GET", path, within=PATIENCE)
    query = {"token": token}
    return await site.backend.call(visitor, "GET", path, query=query, public=True, within=PATIENCE)


async def _events(site: Site, visitor: PageContext, path: str, token: str = "") -> dict[str, Any] | None:
    try:
        answer = await _get(site, visitor, f"{path}/events", token)
    except Problem:
        return None
    return answer.document() if answer.status == 200 else None
