"""/admin/orders/{id}: an order as the shopkeeper sees it, and what can be done with it now."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms, keyed
from frontend_proxy.pages.admin import people
from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.fulfilment import history
from frontend_proxy.pages.orders.progress import milestones, moving
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.refusals import refused
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.problems import Problem

CARRIERS = ("CJ대한통운", "우체국택배", "한진택배", "롯데택배", "로젠택배")
"""Offered while typing; any other may be typed as well."""
FIELDS = ("carrier", "tracking_number")
DONE = ("shipped", "corrected", "delivered", "cancelled", "refunded", "checked")


class Attempt(NamedTuple):
    """A form that came back: what was typed, and what is said of it. `answer` None: nobody knows what became of it."""

    form: Form
    answer: Answer | None
    status: int
    name: str = ""


class OrderDesk(Controller):
    """For administrators. Each change carries its form's key and the version that its page showed."""

    path = "/admin/orders/{id_:uuid}"

    @get("/")
    async def show(
        self,
        site: InjectedSite,
        admin: InjectedPageContext,
        id_: FromPath[UUID],
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        return await _page(site, admin, id_, done=done)

    @post("/ship")
    async def ship(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        form = await forms.read(request)
        body = {name: form.text(name) for name in FIELDS}
        return await _change(site, admin, id_, "shipments", form, body, done="shipped")

    @post("/correct")
    async def correct(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        form = await forms.read(request)
        body = {name: form.text(name) for name in FIELDS}
        return await _change(site, admin, id_, "shipments/corrections", form, body, done="corrected")

    @post("/deliver")
    async def deliver(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        return await _change(site, admin, id_, "deliveries", await forms.read(request), done="delivered")

    @post("/cancel")
    async def cancel(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        return await _change(site, admin, id_, "cancel", await forms.read(request), done="cancelled")

    @post("/check")
    async def check(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        """Has the provider asked how the payment is; what it says shows when it has said it."""
        form = await forms.read(request)
        answer = await keyed.post(site, admin, f"/api/payments/{id_}/checks", form, versioned=False)
        require_status(answer, 202)
        return redirect(f"/admin/orders/{id_}?done=checked")

    @get(["/ship", "/correct", "/deliver", "/cancel", "/check"])
    async def back(self, admin: InjectedPageContext, id_: FromPath[UUID]) -> ASGIResponse:
        return redirect(f"/admin/orders/{id_}")


async def read(site: Site, admin: PageContext, id_: UUID) -> dict[str, Any]:
    """The order. Raises Problem."""
    answer = await site.backend.call(admin, "GET", f"/api/orders/{id_}", within=PATIENCE)
    return require_status(answer, 200).document()


async def look(
    site: Site, admin: PageContext, path: str, query: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """A part of the page, or None where it cannot be had now: the rest is shown without it."""
    try:
        answer = await site.backend.call(admin, "GET", path, query=query, within=PATIENCE)
    except Problem:
        return None
    return answer.document() if answer.status == 200 else None


async def _change(
    site: Site,
    admin: PageContext,
    id_: UUID,
    call: str,
    form: Form,
    body: Mapping[str, Any] | None = None,
    *,
    done: str,
) -> ASGIResponse:
    try:
        answer = await keyed.post(site, admin, f"/api/orders/{id_}/{call}", form, body)
    except Problem as problem:
        return await _page(site, admin, id_, Attempt(form, None, problem.status, problem.name))
    if answer.status in {200, 201}:
        return redirect(f"/admin/orders/{id_}?done={done}")
    if answer.status in {403, 404}:
        require_status(answer, 200)
    return await _page(site, admin, id_, Attempt(form, answer, answer.status))


async def _page(
    site: Site, admin: PageContext, id_: UUID, attempt: Attempt | None = None, *, done: str = ""
) -> ASGIResponse:
    order, timeline, payment, following = await asyncio.gather(
        read(site, admin, id_),
        look(site, admin, f"/api/orders/{id_}/events"),
        look(site, admin, f"/api/payments/{id_}"),
        _next_to_send(site, admin) if done == "shipped" else _nothing(),
    )
    names = await people.names(site, admin, history.people(order, timeline)) if timeline else {}
    translator = site.views.translator(admin)
    nothing_to_send = _nothing_to_send(order, timeline)
    fault: str | None = None
    errors: dict[str, str] = {}
    if attempt is not None and attempt.answer is not None:
        name = "order-changed" if attempt.status == 412 else ""
        fault, errors = refused(translator, attempt.answer, FIELDS, name)
    elif attempt is not None:
        fault = translator.problem(attempt.name, attempt.status)
    return site.views.page(
        admin,
        "fulfilment/order.html",
        status=attempt.status if attempt else 200,
        order=order,
        timeline=timeline,
        payment=payment,
        deeds=history.deeds(order, timeline, names) if timeline else [],
        by=lambda actor: history.by(order, actor, names),
        milestones=milestones(order["state"]),
        nothing_to_send=nothing_to_send,
        moving=moving(order) and "ship" not in order["actions"] and not nothing_to_send,
        refunded_units=_refunded_units(timeline),
        carriers=CARRIERS,
        typed=attempt.form.fields if attempt else {},
        key=attempt.form.key if attempt and keyed.open_outcome(attempt.answer) else None,
        fault=fault,
        errors=errors,
        done=done if done in DONE else "",
        following=following,
    )


async def _nothing() -> None:
    return None


async def _next_to_send(site: Site, admin: PageContext) -> str | None:
    """The order that has waited longest to be sent: after one comes the next."""
    query = {"state": "paid", "sort": "placed_at", "limit": "1"}
    page = await look(site, admin, "/api/orders/all", query)
    return str(page["items"][0]["id"]) if page and page["items"] else None


def _nothing_to_send(order: Mapping[str, Any], timeline: Mapping[str, Any] | None) -> bool:
    """Whether all goods or all money of a paid order went back, or are about to: then order refuses to send it."""
    if order["state"] != "paid" or timeline is None:
        return False
    units = _refunded_units(timeline)
    given = sum(refund["amount"] for refund in timeline["refunds"] if refund["state"] != "failed")
    goods = all(units.get(line["position"], 0) >= line["quantity"] for line in order["lines"])
    payment = order["payment"]
    at_provider = 0 < payment["captured"] <= payment["refunded"] + payment["refund_pending"]
    return goods or given >= order["total"] or at_provider


def _refunded_units(timeline: Mapping[str, Any] | None) -> dict[int, int]:
    """So many units of each line went back, or are about to."""
    units: dict[int, int] = {}
    for refund in timeline["refunds"] if timeline else ():
        for part in refund["lines"] if refund["state"] != "failed" else ():
            units[part["line"]] = units.get(part["line"], 0) + part["quantity"]
    return units
