"""/admin/products: all products, drafts as well, with price and stock at a glance; and deleting one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from frontend_proxy.pages import forms, profiles
from frontend_proxy.pages.backend import PATIENCE
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.products.draft import STATUSES, title
from frontend_proxy.pages.site import Site, redirect, require_status

HERE = "/admin/products"
ON_A_PAGE = 20
FILTERS = ("q", "status", "category")


class ProductsAdmin(Controller):
    """The list, and the question before a product is deleted."""

    path = HERE

    @get("/")
    async def index(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext
    ) -> ASGIResponse:
        query: Mapping[str, str] = dict(request.query_params)
        asked = {name: query[name].strip() for name in FILTERS if query.get(name, "").strip()}
        cursor = query.get("cursor", "")
        wanted = {**asked, "limit": str(ON_A_PAGE)} | ({"cursor": cursor} if cursor else {})
        answer = await site.backend.call(admin, "GET", "/api/products/documents", query=wanted)
        errors = forms.field_errors(answer)
        translator = site.views.translator(admin)
        found: dict[str, Any] = {"items": [], "next_cursor": None}
        if not errors:
            found = require_status(answer, 200).document()

        def link(**changes: str | None) -> str:
            merged = {**asked, **changes}
            kept = {name: text for name, text in merged.items() if text}
            return HERE + (f"?{urlencode(kept)}" if kept else "")

        return site.views.page(
            admin,
            "products/index.html",
            status=400 if errors else 200,
            items=[_row(item, admin.language) for item in found["items"]],
            following=link(cursor=found["next_cursor"]) if found["next_cursor"] else None,
            first=link() if cursor else None,
            asked=asked,
            categories=await categories(site, admin),
            statuses=STATUSES,
            said=next((translator.field_error(*error) for error in errors.values()), None),
            done=query.get("done", ""),
            currency=site.currency,
        )

    @get("/{product_id:uuid}/delete")
    async def ask_to_delete(
        self, site: InjectedSite, admin: InjectedPageContext, product_id: FromPath[UUID]
    ) -> ASGIResponse:
        return await _deletion(site, admin, await find(site, admin, product_id))

    @post("/{product_id:uuid}/delete")
    async def delete(
        self, request: PageRequest, site: InjectedSite, admin: InjectedPageContext, product_id: FromPath[UUID]
    ) -> ASGIResponse:
        """Deletes what the page showed: a product that changed meanwhile is shown again first."""
        form = await forms.read(request)
        answer = await site.backend.call(
            admin,
            "DELETE",
            f"/api/products/{product_id}",
            headers={"If-Match": f'"{profiles.version(form)}"', "Idempotency-Key": form.key},
        )
        if answer.status == 412:
            product = await find(site, admin, product_id)
            return await _deletion(site, admin, product, stale=True)
        require_status(answer, 204)
        return redirect(f"{HERE}?done=deleted")


async def find(site: Site, admin: PageContext, product_id: UUID) -> dict[str, Any]:
    """The document. Raises 404."""
    answer = await site.backend.call(admin, "GET", f"/api/products/{product_id}")
    if answer.status == 404:
        raise NotFoundException
    return require_status(answer, 200).document()


async def levels(site: Site, admin: PageContext, product_id: object) -> list[dict[str, Any]]:
    """The stock of each of a product's variants."""
    query = {"product_id": str(product_id), "limit": "100"}
    answer = await site.backend.call(admin, "GET", "/api/stock", query=query)
    found: list[dict[str, Any]] = require_status(answer, 200).document()["items"]
    return found


async def categories(site: Site, admin: PageContext) -> list[dict[str, Any]]:
    """All categories, each after those above it: its `id`, its `name`, and its `path` from the top."""
    # With the token, although anybody may ask: some pages ask for nothing else, and an ended session sees none of them.
    query = {"lang": admin.language}
    answer = await site.backend.call(admin, "GET", "/api/categories", query=query, within=PATIENCE)
    return _flat(require_status(answer, 200).document()["items"], "")


def _flat(items: list[dict[str, Any]], above: str) -> list[dict[str, Any]]:
    found = []
    for item in items:
        path = f"{above}{item['name']}"
        found.append({"id": item["id"], "slug": item["slug"], "name": item["name"], "path": path})
        found += _flat(item["children"], f"{path} › ")
    return found


def _row(product: dict[str, Any], language: str) -> dict[str, Any]:
    prices = [each["price"] for each in product["variants"] if each["active"]] or [
        each["price"] for each in product["variants"]
    ]
    return {
        **product,
        "title": title(product, language),
        "lowest": min(prices),
        "highest": max(prices),
        # Beside its name, a picture of it has nothing to add.
        "picture": {**product["images"][0], "alt": ""} if product["images"] else None,
    }


async def _deletion(
    site: Site, admin: PageContext, product: dict[str, Any], *, stale: bool = False
) -> ASGIResponse:
    return site.views.page(
        admin,
        "products/delete.html",
        status=412 if stale else 200,
        product=product,
        title=title(product, admin.language),
        levels=await levels(site, admin, product["id"]),
        stale=stale,
    )
