"""/products and /categories/{slug}: what there is, narrowed by words, category, price and stock."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from litestar import Controller, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from frontend_proxy.auth_client import Answer
from frontend_proxy.pages import forms
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.shop import catalog
from frontend_proxy.pages.site import Site, require_status
from frontend_proxy.problems import Problem

ON_A_PAGE = 24
FILTERS = ("q", "min_price", "max_price", "in_stock", "sort")
SORTS = ("newest", "price", "-price")


class Narrowed(NamedTuple):
    """What a list was asked for. `path` is its address, `asked` its query without `cursor`."""

    path: str
    category: str
    asked: dict[str, str]

    def link(self, **changes: str | None) -> str:
        """This list with some of it changed; None leaves a filter out. It starts at its first page."""
        merged = {**self.asked, **changes}
        # In one order, so that a list has one address.
        query = {name: merged[name] for name in (*FILTERS, "cursor") if merged.get(name)}
        return self.path + (f"?{urlencode(query)}" if query else "")

    def elsewhere(self, category: str | None) -> str:
        """The same filters in another category."""
        return self._replace(path=f"/categories/{category}" if category else "/products").link()

    @property
    def filtered(self) -> bool:
        return any(self.asked.get(name) for name in ("min_price", "max_price", "in_stock"))


class ProductList(Controller):
    """Lists of products. Every filter is a link, so that each list has an address."""

    @get("/products")
    async def products(
        self, request: PageRequest, site: InjectedSite, anybody: InjectedPageContext
    ) -> ASGIResponse:
        return await _list(request, site, anybody, "")

    @get("/categories/{slug:str}")
    async def category(
        self, request: PageRequest, site: InjectedSite, anybody: InjectedPageContext, slug: FromPath[str]
    ) -> ASGIResponse:
        return await _list(request, site, anybody, slug)


async def _list(request: PageRequest, site: Site, visitor: PageContext, slug: str) -> ASGIResponse:
    query: Mapping[str, str] = dict(request.query_params)
    asked = {name: query[name].strip() for name in FILTERS if query.get(name, "").strip()}
    narrowed = Narrowed(f"/categories/{slug}" if slug else "/products", slug, asked)
    shelves = await site.shelves.of(visitor)
    wanted = {**asked, "limit": str(ON_A_PAGE)}
    if slug:
        wanted["category"] = slug
    if cursor := query.get("cursor"):
        wanted["cursor"] = cursor
    answer = await catalog.read(site.backend, visitor, "/api/products", wanted)
    errors = forms.field_errors(answer)
    if "category" in errors:
        raise Problem(404, "", "There is no such category.")
    said = next((site.views.translator(visitor).field_error(*error) for error in errors.values()), None)
    found = _found(answer)
    return site.views.page(
        visitor,
        "shop/list.html",
        status=answer.status if answer.status in {200, 400} else 200,
        found=found,
        currency=site.currency,
        facets=found["facets"] or {"total": None, "categories": [], "prices": []},
        narrowed=narrowed,
        words=asked.get("q", ""),
        meant=_meant(shelves, asked.get("q", "")),
        heading=_name(shelves, slug),
        sorts=SORTS,
        paged=bool(cursor),
        said=said,
    )


def _found(answer: Answer) -> dict[str, Any]:
    if answer.status == 400:
        return {"items": [], "next_cursor": None, "facets": None}
    return require_status(answer, 200).document()


def _meant(shelves: list[dict[str, Any]], words: str) -> list[dict[str, Any]]:
    """The categories whose names hold what was searched for, or are held by it: `bags` finds products that say so, and
    who types it means all of them."""
    sought = words.casefold()
    found = []
    for shelf in shelves:
        name = str(shelf["name"]).casefold()
        if sought and (sought in name or name in sought):
            found.append(shelf)
        found += _meant(shelf["children"], words)
    return found


def _name(shelves: list[dict[str, Any]], slug: str) -> str:
    """The category's name; empty for the list of everything."""
    for shelf in shelves:
        if shelf["slug"] == slug:
            return str(shelf["name"])
        if below := _name(shelf["children"], slug):
            return below
    return ""
