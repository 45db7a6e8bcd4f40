"""/checkout: where it goes, what it costs, and the order.

The form carries an idempotency key, so that sending it twice is one order, and what was seen: another total is shown
before it is paid.
"""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from litestar import Controller, get, post
from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms, profiles
from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.cart.counting import in_cart
from frontend_proxy.pages.checkout import placement
from frontend_proxy.pages.checkout.placement import FIELDS, body, chosen_address, saved_address, typed
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.refusals import refused
from frontend_proxy.pages.site import Site, redirect, require_status
from frontend_proxy.problems import Problem

HERE = "/checkout"
MOST_ADDRESSES = 10
"""In a member's book, as member takes them."""
IN_PROGRESS = "idempotency-in-progress"
KEY_REUSED = "idempotency-key-reused"
TRIES, PAUSE = 12, 0.25
"""How often, and after how many seconds, the same order is asked for while its first sending is on its way."""


class CheckoutPages(Controller):
    """The checkout of a member or a guest."""

    path = HERE

    @get("/")
    async def ask(self, site: InjectedSite, visitor: InjectedPageContext) -> ASGIResponse:
        if visitor.access is None:
            return redirect("/cart")
        screen = await _screen(site, visitor)
        cart = screen["cart"]
        if cart is not None and not cart["lines"]:
            return redirect("/cart")
        if cart is not None and cart["unavailable"]:
            return redirect("/cart?done=unavailable")
        return _page(site, visitor, screen, status=200 if cart else 503)

    @post("/")
    async def place(
        self, request: PageRequest, site: InjectedSite, visitor: InjectedPageContext
    ) -> ASGIResponse:
        form = await forms.read(request)
        if visitor.access is None:
            return redirect("/cart")
        screen = await _screen(site, visitor)
        book = screen["member"]
        if placement.of_book(form) and book is None:
            # The book cannot be read now, so nobody knows which address was meant.
            return _page(site, visitor, screen, form=form, status=503, name="upstream-unavailable")
        if placement.of_book(form) and chosen_address(form, book) is None:
            return _page(site, visitor, screen, form=form, status=409, name="address-gone")
        try:
            answer = await _order(site, visitor, form, book)
        except Problem as problem:
            # Nobody knows whether it was placed: the same key again makes it one order.
            return _page(site, visitor, screen, form=form, status=problem.status, name=problem.name)
        if answer.status == 201:
            order = answer.document()
            if form.checked("save_address") and book is not None:
                await _save(site, visitor, book, form)
            return redirect(f"/orders/{order['id']}/pay", [in_cart(0, secure=site.secure)])
        return _refused(site, visitor, screen, form, answer)


async def _order(site: Site, visitor: PageContext, form: Form, book: Mapping[str, Any] | None) -> Answer:
    """Places the order. A form that is sent again while its first sending is on its way gets the first one's answer.
    One that was changed after it was sent (back, and another address) is another wish: there is one order of a cart all
    the same, and the answer names it. Raises Problem where nobody knows what became of it."""
    key = form.key
    for _ in range(TRIES):
        answer = await site.backend.call(
            visitor,
            "POST",
            "/api/orders",
            body(form, book, visitor.language),
            headers={"Idempotency-Key": key},
        )
        name = forms.problem_name(answer)
        if name == KEY_REUSED and key == form.key:
            key = str(uuid.uuid4())
        elif name == IN_PROGRESS:
            await asyncio.sleep(PAUSE)
        else:
            break
    return answer


def _refused(
    site: Site, visitor: PageContext, screen: dict[str, Any], form: Form, answer: Answer
) -> ASGIResponse:
    name, document = forms.problem_name(answer), answer.document()
    if name == "cart-ordered":
        return redirect(f"/orders/{document['order_id']}?done=ordered")
    if name == "cart-changed":
        cart = document["cart"]
        if not cart["lines"] or cart["unavailable"]:
            return redirect("/cart?done=unavailable")
        return _page(site, visitor, {**screen, "cart": cart}, form=form, status=409, changed=True)
    if (
        answer.status == 409 and not name
    ):  # nothing is in the cart, or its total is none that a card is charged
        empty = screen["cart"] is not None and not screen["cart"]["lines"]
        return redirect("/cart" if empty else "/cart?done=unpayable")
    return _page(site, visitor, screen, form=form, status=answer.status, answer=answer)


async def _screen(site: Site, visitor: PageContext) -> dict[str, Any]:
    """The cart and the member; whatever cannot be had is None and named in `degraded`."""
    nothing = {"cart": None, "member": None, "degraded": ["cart", "member"]}
    try:
        answer = await site.backend.call(
            visitor, "GET", "/api/checkout", query={"lang": visitor.language}, within=PATIENCE
        )
    except Problem:
        return nothing
    return require_status(answer, 200).document() if answer.status < 500 else nothing


async def _save(site: Site, visitor: PageContext, book: Mapping[str, Any], form: Form) -> None:
    """Keeps a new address in the member's book. The order is placed already: this may fail unseen."""
    addresses = [*book["addresses"], saved_address(form)]
    if form.text("where") != placement.NEW or len(addresses) > MOST_ADDRESSES:
        return
    patch = {"addresses": addresses}
    headers = {"If-Match": f'"{book["version"]}"'}
    try:
        await site.backend.call(visitor, "PATCH", f"/api/members/{book['id']}", patch, headers=headers)
    except Problem:
        return


def _page(
    site: Site,
    visitor: PageContext,
    screen: Mapping[str, Any],
    *,
    form: Form | None = None,
    status: int = 200,
    name: str = "",
    answer: Answer | None = None,
    changed: bool = False,
) -> ASGIResponse:
    """The form, with what was typed. The key stays as long as nobody knows what became of the order."""
    translator = site.views.translator(visitor)
    fault, errors = None, {}
    if answer is not None:
        fault, found = refused(translator, answer, FIELDS)
        errors = {field.removeprefix("address."): text for field, text in found.items()}
    elif name or (status >= 500 and form is not None):
        fault = translator.problem(name, status)
    before = form.text("expected_total") if form and changed else ""
    book = screen["member"]
    countries = placement.countries(screen["cart"])
    chosen = chosen_address(form, book) if form else None
    return site.views.page(
        visitor,
        "checkout/checkout.html",
        status=status,
        cart=screen["cart"],
        book=book,
        degraded=screen["degraded"],
        countries=countries,
        where=form.text("where")
        if form and (chosen or not placement.of_book(form))
        else placement.first_choice(book, countries),
        name_of=placement.name_of,
        values=typed(form) if form else _known(book),
        key=form.key if form and not changed and _open(answer) else None,
        sent=form.fields if form else {},
        fault=fault,
        errors=errors,
        changed=changed,
        before=placement.number(before) or None,
        room=book is not None and len(book["addresses"]) < MOST_ADDRESSES,
    )


def _open(answer: Answer | None) -> bool:
    """Whether the order may have been placed all the same. A refusal is final, and kept under its key."""
    return answer is None or answer.status >= 500 or forms.problem_name(answer) == IN_PROGRESS


def _known(book: Mapping[str, Any] | None) -> dict[str, str]:
    if book is None:
        return {}
    return {"recipient": book["name"], "phone": profiles.as_dialled(book["phone"]), "email": book["email"]}
