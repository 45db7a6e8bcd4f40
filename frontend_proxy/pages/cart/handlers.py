"""/cart: what somebody is about to buy. Whoever has no session gets a guest's when the first thing is put into it."""

import re
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Controller, get, post
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.access_tokens import GUEST
from frontend_proxy.auth_client import Answer
from frontend_proxy.cookies import Header
from frontend_proxy.pages import forms
from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.cart.counting import count, in_cart
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.shop import catalog
from frontend_proxy.pages.shop.choosing import exactly
from frontend_proxy.pages.shop.product import SLUG
from frontend_proxy.pages.site import Site, redirect
from frontend_proxy.problems import Problem

HERE = "/cart"
MOST = 99
"""Of one thing in a cart."""

_QUANTITY = re.compile(r"[1-9][0-9]?")
_SKU = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


class CartPages(Controller):
    """The cart, and what puts things into it."""

    path = HERE

    @get("/")
    async def show(
        self, site: InjectedSite, visitor: InjectedPageContext, done: FromQuery[str] = ""
    ) -> ASGIResponse:
        cart: dict[str, Any] | None = None
        if visitor.access is not None:
            answer = await _cart(site, visitor)
            cart = answer.document() if answer and answer.status == 200 else None
        away = visitor.access is not None and cart is None
        page = site.views.page(
            visitor,
            "cart/cart.html",
            status=503 if away else 200,
            cart=cart,
            away=away,
            done=done,
            number=count(cart) if cart else 0,
        )
        if not away:
            _remember(page, in_cart(count(cart) if cart else 0, secure=site.secure))
        return page

    @post("/items")
    async def add(
        self, request: PageRequest, site: InjectedSite, visitor: InjectedPageContext
    ) -> ASGIResponse:
        """Puts a product's variant into the cart; answers a page's script in JSON, and a form with its product."""
        form = await forms.read(request)
        slug = form.text("slug")
        try:
            added = await _add(site, visitor, form, slug)
        except Problem:
            added = Added("try_again")
        if "application/json" in request.headers.get("accept", ""):
            return _told(site, visitor, added)
        choices = {name: value for name, value in form.fields.items() if name.startswith("o_")}
        back = f"/products/{slug}" if SLUG.fullmatch(slug) else HERE
        return redirect(f"{back}?{urlencode({**choices, 'done': added.outcome})}", added.cookies)

    @post("/change")
    async def change(
        self, request: PageRequest, site: InjectedSite, visitor: InjectedPageContext
    ) -> ASGIResponse:
        """Has so many of it in the cart, or takes it out."""
        form = await forms.read(request)
        if visitor.access is None:
            return redirect(HERE)
        path, wanted = f"/api/cart/items/{form.text('sku')}", form.text("quantity")
        if not _SKU.fullmatch(form.text("sku")):
            return redirect(f"{HERE}?done=failed")
        if form.text("remove") or wanted == "0":
            answer = await site.backend.call(visitor, "DELETE", path)
            done = "removed"
        elif _QUANTITY.fullmatch(wanted):
            answer = await site.backend.call(visitor, "PUT", path, {"quantity": int(wanted)})
            done = "changed"
        else:
            return redirect(f"{HERE}?done=bad_quantity")
        if answer.status not in {200, 404}:
            return redirect(f"{HERE}?done=failed")
        return redirect(f"{HERE}?done={done}")

    @get(["/items", "/change"])
    async def back(self) -> ASGIResponse:
        return redirect(HERE)


class Added(NamedTuple):
    """What became of putting something into the cart: `added`, or why not."""

    outcome: str
    name: str = ""
    number: int | None = None
    cookies: tuple[Header, ...] = ()


async def _add(site: Site, visitor: PageContext, form: Form, slug: str) -> Added:
    """Raises Problem where a part is down."""
    if not SLUG.fullmatch(slug):
        return Added("try_again")
    if not _QUANTITY.fullmatch(form.text("quantity")):
        return Added("bad_quantity")
    found = await catalog.read(site.backend, visitor, f"/api/products/{slug}")
    if found.status != 200:
        return Added("try_again")
    product = found.document()
    variant = exactly(product, form.fields)
    if variant is None:
        return Added("no_such_choice")
    if variant["availability"] == "sold_out":
        return Added("sold_out")
    begun: tuple[Header, ...] = ()
    there = 0
    if visitor.access is None:
        tokens = await site.backend.guest_session(visitor)
        visitor = visitor.with_session(tokens.access, (GUEST,))
        begun = tuple(site.session_cookies.start(tokens))
    else:
        answer = await _cart(site, visitor)
        if answer is None or answer.status != 200:
            return Added(
                "try_again"
            )  # how many are there cannot be told, and the service is told a whole number
        lines = answer.document()["lines"]
        there = next((line["quantity"] for line in lines if line["sku"] == variant["sku"]), 0)
        if there >= MOST:  # more, where a guest's cart came along
            return Added("no_more")
    wanted = min(there + int(form.text("quantity")), MOST)
    answer = await site.backend.call(
        visitor, "PUT", f"/api/cart/items/{variant['sku']}", {"quantity": wanted}
    )
    if answer.status != 200:
        return Added("cart_full" if answer.status == 409 else "try_again", cookies=begun)
    number = count(answer.document())
    return Added("added", product["name"], number, (*begun, in_cart(number, secure=site.secure)))


def _told(site: Site, visitor: PageContext, added: Added) -> ASGIResponse:
    """For the page's script, in the visitor's words."""
    t = site.views.translator(visitor).t
    said = t(f"shop.{added.outcome}", name=added.name)
    body = {
        "good": added.outcome == "added",
        "said": said,
        "in_cart": added.number,
        "link": t("shop.to_cart"),
    }
    answer = ASGIResponse(body=msgspec.json.encode(body), media_type="application/json")
    for cookie in added.cookies:
        _remember(answer, cookie)
    return answer


def _remember(answer: ASGIResponse, cookie: Header) -> None:
    answer.headers.add(cookie[0].decode(), cookie[1].decode())


async def _cart(site: Site, visitor: PageContext) -> Answer | None:
    """None where nobody answers."""
    try:
        return await site.backend.call(
            visitor, "GET", "/api/cart", query={"lang": visitor.language}, within=PATIENCE
        )
    except Problem:
        return None
