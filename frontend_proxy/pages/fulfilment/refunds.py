"""/admin/orders/{id}/refund: what is to be given back, what that comes to, and then doing it.

What it comes to is asked of order, whose one function also decides; the sum that was shown goes along when it is done,
so that it is that sum or none.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms, keyed
from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.fulfilment import order as desk
from frontend_proxy.pages.fulfilment import wanted_refund
from frontend_proxy.pages.fulfilment.wanted_refund import LONGEST_NOTE, REASONS, WantedRefund
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.refusals import refused
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.problems import Problem

REFUNDABLE = ("paid", "shipped", "delivered")
MINE = ("by", "amount", "reason", "note", "shipping")
FIELDS = frozenset({"amount", "reason", "note"})


class Refunds(Controller):
    """For administrators."""

    path = "/admin/orders/{id_:uuid}/refund"

    @get("/")
    async def ask(self, site: InjectedSite, admin: InjectedPageContext, id_: FromPath[UUID]) -> ASGIResponse:
        order = await desk.read(site, admin, id_)
        if "refund" not in order["actions"] or order["state"] not in REFUNDABLE:
            return redirect(f"/admin/orders/{id_}")
        return _form(site, admin, order, await _given(site, admin, id_))

    @post("/")
    async def preview(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        form = await forms.read(request)
        if form.text("change"):
            order, given = await _order(site, admin, id_)
            return _form(site, admin, order, given, form)
        return await _preview(site, admin, id_, form)

    @post("/done")
    async def refund(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, id_: FromPath[UUID]
    ) -> ASGIResponse:
        form = await forms.read(request)
        order, given = await _order(site, admin, id_)
        # Not what is left by now, which order judges: a form that is sent twice has to be the same request twice.
        wanted = wanted_refund.read(form, order, _left(order, []))
        expected = form.text("expected_amount")
        if wanted.faults or not expected.isdigit() or not expected.isascii() or len(expected) > 15:
            return await _preview(site, admin, id_, form)
        body = {**wanted.body, "expected_amount": int(expected)}
        try:
            answer = await keyed.post(site, admin, f"/api/orders/{id_}/refunds", form, body)
        except Problem as problem:
            fault = site.views.translator(admin).problem(problem.name, problem.status)
            return await _preview(site, admin, id_, form, fault, problem.status, key=form.key)
        if answer.status == 201:
            return redirect(f"/admin/orders/{id_}?done=refunded")
        if answer.status == 412 or forms.problem_name(answer) == "refund-changed":
            fault = site.views.translator(admin).problem("refund-changed", 409)
            return await _preview(site, admin, id_, form, fault, answer.status)
        if keyed.open_outcome(answer):
            fault = site.views.translator(admin).problem(forms.problem_name(answer), answer.status)
            return await _preview(site, admin, id_, form, fault, answer.status, key=form.key)
        return _form(site, admin, order, given, form, answer)

    @get("/done")
    async def back(self, admin: InjectedPageContext, id_: FromPath[UUID]) -> ASGIResponse:
        return redirect(f"/admin/orders/{id_}/refund")


async def _order(site: Site, admin: PageContext, id_: UUID) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The order, and what was given back of it. Raises Problem."""
    order, given = await asyncio.gather(desk.read(site, admin, id_), _given(site, admin, id_))
    return order, given


async def _given(site: Site, admin: PageContext, id_: UUID) -> list[dict[str, Any]]:
    """Refunds that were made or are under way. Raises Problem: without them nobody knows what is left."""
    answer = await site.backend.call(admin, "GET", f"/api/orders/{id_}/events", within=PATIENCE)
    refunds: list[dict[str, Any]] = require_status(answer, 200).document()["refunds"]
    return [refund for refund in refunds if refund["state"] != "failed"]


async def _preview(
    site: Site,
    admin: PageContext,
    id_: UUID,
    form: Form,
    fault: str = "",
    status: int = 200,
    *,
    key: str = "",
) -> ASGIResponse:
    # The order first: what happens after it was read, its version tells when the refund is done.
    order = await desk.read(site, admin, id_)
    given = await _given(site, admin, id_)
    wanted = wanted_refund.read(form, order, _left(order, given))
    if wanted.faults or wanted.empty:
        return _form(site, admin, order, given, form, wanted=wanted, fault=fault, status=status)
    answer = await site.backend.call(
        admin, "POST", f"/api/orders/{id_}/refunds/preview", wanted.body, within=PATIENCE
    )
    if answer.status != 200:
        return _form(site, admin, order, given, form, answer, fault=fault, status=status)
    preview = answer.document()
    return site.views.page(
        admin,
        "fulfilment/preview.html",
        status=status,
        order=order,
        preview=preview,
        adjustment=_adjustment(order, preview),
        sent={name: text for name, text in form.fields.items() if name in MINE or name.startswith("units_")},
        fault=fault,
        # The key and the version of an attempt of which nobody knows what became stay.
        key=key or None,
        version=form.text("version") if key else order["version"],
    )


def _adjustment(order: Mapping[str, Any], preview: Mapping[str, Any]) -> int:
    """By how much the sum is less, or more, than its parts: after free amounts, the last refund takes the rest."""
    if not preview["lines"] and not preview["shipping"]:
        return 0
    parts = sum(part["amount"] for part in preview["lines"])
    return int(preview["amount"] - parts - (order["shipping"] if preview["shipping"] else 0))


def _left(order: Mapping[str, Any], given: list[dict[str, Any]]) -> dict[int, int]:
    left = {line["position"]: int(line["quantity"]) for line in order["lines"]}
    for refund in given:
        for part in refund["lines"]:
            left[part["line"]] -= part["quantity"]
    return left


def _form(
    site: Site,
    admin: PageContext,
    order: dict[str, Any],
    given: list[dict[str, Any]],
    form: Form | None = None,
    answer: Answer | None = None,
    *,
    wanted: WantedRefund | None = None,
    fault: str = "",
    status: int = 200,
) -> ASGIResponse:
    """The form, with what was typed and what is said of it: above all `fault`, with `status`, where there is one."""
    translator = site.views.translator(admin)
    said, errors, found = "", dict[str, str](), 200
    if answer is not None:
        found = answer.status
        document = answer.document()
        if found == 409 and isinstance(document.get("refundable"), int):
            most = translator.money(document["refundable"], order["currency"])
            said = translator.t("fulfilment.too_much", most=most)
        else:
            said, errors = refused(translator, answer, FIELDS)
    elif wanted is not None:
        found = 422
        errors = {field: translator.field_error(*wrong) for field, wrong in wanted.faults.items()}
        said = translator.problem("fields", 422) if errors else translator.t("fulfilment.nothing_chosen")
    return site.views.page(
        admin,
        "fulfilment/refund.html",
        status=status if fault else found,
        order=order,
        left=_left(order, given),
        shipping_left=order["shipping"] > 0 and not any(refund["shipping"] for refund in given),
        most=order["total"] - sum(refund["amount"] for refund in given),
        reasons=REASONS,
        longest_note=LONGEST_NOTE,
        typed=form.fields if form else {},
        by="amount" if form and form.text("by") == "amount" else "lines",
        fault=fault or said or None,
        errors=errors,
    )
