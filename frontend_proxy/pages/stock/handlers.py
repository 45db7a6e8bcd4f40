"""/admin/stock: what runs out first; a SKU's page with its journal; and adjustments, each of them once."""

import re
import uuid
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms, keyed
from frontend_proxy.pages.admin import people
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.pages.stock import adjusting
from frontend_proxy.problems import Problem

HERE = "/admin/stock"
ON_A_PAGE = 30
SHOWN = ("for_sale", "low", "all")
"""Which stock is listed; the first where nothing else is asked for."""
MOST_FIELDS = 110
"""A number for each variant that a product can have, and what is the same for all."""
LOW = 5
"""Units that are few: of so many or fewer, the list `low` is made."""

_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class StockPages(Controller):
    """Stock by SKU."""

    path = HERE

    @get("/")
    async def index(
        self,
        site: InjectedSite,
        admin: InjectedPageContext,
        sku: FromQuery[str] = "",
        show: FromQuery[str] = "",
        product: FromQuery[str] = "",
        cursor: FromQuery[str] = "",
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        if product:
            return _of_product(site, admin, product, await _levels(site, admin, product), done=done)
        sku = sku.strip()
        shown = show if show in SHOWN else SHOWN[0]
        query = {"limit": str(ON_A_PAGE), "sort": "available"}
        query |= {"for_sale": "true"} if shown != "all" else {}
        query |= {"at_most": str(LOW)} if shown == "low" else {}
        query |= {"sku": sku} if sku else {}
        query |= {"cursor": cursor} if cursor else {}
        found: dict[str, Any] = {"items": [], "next_cursor": None}
        # What cannot begin a SKU is how none begins.
        if not sku or _SKU.fullmatch(sku):
            answer = await site.backend.call(admin, "GET", "/api/stock", query=query)
            found = require_status(answer, 200).document()

        def link(**changes: str) -> str:
            asked = {"show": "" if shown == SHOWN[0] else shown, "sku": sku, **changes}
            kept = {name: text for name, text in asked.items() if text}
            return HERE + (f"?{urlencode(kept)}" if kept else "")

        return site.views.page(
            admin,
            "stock/index.html",
            levels=found["items"],
            following=link(cursor=found["next_cursor"]) if found["next_cursor"] else None,
            first=link() if cursor else None,
            sku=sku,
            show=shown,
        )

    @post("/")
    async def adjust_product(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext
    ) -> ASGIResponse:
        """Adjusts several SKUs of a product for one reason: all numbers are read before any is sent."""
        form = await forms.read(request, fields=MOST_FIELDS)
        product = form.text("product")
        levels = await _levels(site, admin, product)
        translator = site.views.translator(admin)
        wanted = {
            each["sku"]: adjusting.wanted(
                each["sku"], Form({**form.fields, "quantity": form.text(f"q_{each['sku']}")})
            )
            for each in levels
            if form.text(f"q_{each['sku']}")
        }
        errors = {f"q_{sku}": translator.t(key) for sku, one in wanted.items() for key in one.wrong.values()}
        if not wanted:
            fault = translator.t("stock.nothing_entered")
            return _of_product(site, admin, product, levels, form=form, status=400, fault=fault)
        if errors:
            return _of_product(site, admin, product, levels, form=form, status=400, errors=errors)
        status, undecided = 409, False
        for sku, one in wanted.items():
            key = str(uuid.uuid5(uuid.UUID(form.key), sku))
            try:
                answer = await keyed.post(
                    site,
                    admin,
                    "/api/stock/adjustments",
                    Form({"idempotency_key": key}),
                    one.body,
                    versioned=False,
                )
            except Problem as problem:
                # Sent again, the form finds what was done already under its key.
                fault = translator.problem(problem.name, problem.status)
                return _of_product(
                    site, admin, product, levels, form=form, status=problem.status, fault=fault, key=form.key
                )
            if answer.status != 201:
                status = answer.status
                errors[f"q_{sku}"] = _sentence(site, admin, answer)
                undecided = undecided or keyed.open_outcome(answer)
        if not errors:
            return redirect(f"{HERE}?{urlencode({'product': product, 'done': 'adjusted'})}")
        # What was done is not asked for again; under the form's key it would be found done.
        done = {f"q_{sku}" for sku in wanted} - set(errors)
        left = Form({name: text for name, text in form.fields.items() if name not in done})
        levels = await _levels(site, admin, product)
        return _of_product(
            site,
            admin,
            product,
            levels,
            form=left,
            status=status,
            errors=errors,
            key=form.key if undecided else None,
        )

    @get("/{sku:str}")
    async def show(
        self,
        site: InjectedSite,
        admin: InjectedPageContext,
        sku: FromPath[str],
        cursor: FromQuery[str] = "",
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        return await _page(site, admin, sku, cursor=cursor, done=done)

    @post("/{sku:str}")
    async def adjust(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, sku: FromPath[str]
    ) -> ASGIResponse:
        form = await forms.read(request)
        t = site.views.translator(admin).t
        body, wrong = adjusting.wanted(sku, form)
        if wrong:
            errors = {field: t(key) for field, key in wrong.items()}
            return await _page(site, admin, sku, form=form, status=400, errors=errors)
        try:
            answer = await keyed.post(site, admin, "/api/stock/adjustments", form, body, versioned=False)
        except Problem as problem:
            return await _page(
                site, admin, sku, form=form, status=problem.status, name=problem.name, key=form.key
            )
        if answer.status == 201:
            return redirect(f"{HERE}/{sku}?done=adjusted")
        return await _refused(site, admin, sku, form, answer)


async def _levels(site: Site, admin: PageContext, product: str) -> list[dict[str, Any]]:
    """Of each of a product's variants. Raises 404."""
    if not _ID.fullmatch(product):
        raise NotFoundException
    query = {"product_id": product, "limit": "100"}
    answer = await site.backend.call(admin, "GET", "/api/stock", query=query)
    found: list[dict[str, Any]] = require_status(answer, 200).document()["items"]
    if not found:
        raise NotFoundException
    return found


def _of_product(
    site: Site,
    admin: PageContext,
    product: str,
    levels: list[dict[str, Any]],
    *,
    form: Form | None = None,
    status: int = 200,
    errors: dict[str, str] | None = None,
    fault: str | None = None,
    key: str | None = None,
    done: str = "",
) -> ASGIResponse:
    """All SKUs of a product, with a number to enter for each."""
    if errors:
        fault = site.views.translator(admin).problem("fields", status)
    return site.views.page(
        admin,
        "stock/product.html",
        status=status,
        product=product,
        levels=levels,
        reasons=adjusting.REASONS,
        typed=form.fields if form else {},
        errors=errors or {},
        labels={name: name.removeprefix("q_") for name in errors or {}},
        fault=fault,
        key=key,
        done=done,
    )


def _sentence(site: Site, admin: PageContext, answer: Answer) -> str:
    """Why one adjustment of several was refused."""
    translator = site.views.translator(admin)
    document = answer.document()
    if document.get("code") == "below_reserved":
        held = document.get("reserved")
        return translator.t("stock.below_reserved" if held else "stock.not_there", count=held)
    for error in forms.field_errors(answer).values():
        return translator.field_error(*error)
    return translator.problem(forms.problem_name(answer), answer.status)


async def _refused(site: Site, admin: PageContext, sku: str, form: Form, answer: Answer) -> ASGIResponse:
    translator = site.views.translator(admin)
    document = answer.document()
    key = form.key if keyed.open_outcome(answer) else None
    if document.get("code") == "below_reserved":
        errors = {"quantity": _sentence(site, admin, answer)}
        return await _page(site, admin, sku, form=form, status=409, errors=errors)
    if answer.status == 404:
        raise NotFoundException
    fields = {"change": "quantity", "counted": "quantity", "note": "note", "reason": "reason"}
    errors = {
        fields[field]: translator.field_error(*error)
        for field, error in forms.field_errors(answer).items()
        if field in fields
    }
    name = forms.problem_name(answer)
    return await _page(site, admin, sku, form=form, status=answer.status, errors=errors, name=name, key=key)


async def _page(
    site: Site,
    admin: PageContext,
    sku: str,
    *,
    form: Form | None = None,
    status: int = 200,
    errors: dict[str, str] | None = None,
    name: str = "",
    key: str | None = None,
    cursor: str = "",
    done: str = "",
) -> ASGIResponse:
    """The SKU with its journal; what was typed stays."""
    level = await _level(site, admin, sku)
    query = {"variant_id": level["variant_id"], "limit": "20"} | ({"cursor": cursor} if cursor else {})
    answer = await site.backend.call(admin, "GET", "/api/stock/journal", query=query)
    journal = require_status(answer, 200).document()
    entries = journal["items"]
    names = await people.names(
        site, admin, dict.fromkeys(each["actor"] for each in entries if _ID.fullmatch(each["actor"]))
    )
    translator = site.views.translator(admin)
    following = journal["next_cursor"]
    fault = None
    if status >= 400:
        fault = translator.problem("fields" if errors else name, status)
    return site.views.page(
        admin,
        "stock/sku.html",
        status=status,
        level=level,
        entries=[{**each, "by": names.get(each["actor"], "")} for each in entries],
        following=f"{HERE}/{sku}?{urlencode({'cursor': following})}" if following else None,
        first=f"{HERE}/{sku}" if cursor else None,
        reasons=adjusting.REASONS,
        typed=form.fields if form else {},
        errors=errors or {},
        fault=fault,
        key=key,
        done=done,
    )


async def _level(site: Site, admin: PageContext, sku: str) -> dict[str, Any]:
    """Of the variant that has exactly this SKU. Raises 404."""
    if not _SKU.fullmatch(sku):
        raise NotFoundException
    answer = await site.backend.call(admin, "GET", "/api/stock", query={"sku": sku, "limit": "1"})
    found: list[dict[str, Any]] = require_status(answer, 200).document()["items"]
    if not found or found[0]["sku"] != sku:
        raise NotFoundException
    return found[0]
