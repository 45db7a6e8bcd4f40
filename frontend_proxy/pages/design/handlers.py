"""/design: every component once, as it is and as it can be. In development only: production has no such address."""

import re
from typing import Any

from litestar import Controller, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse

from frontend_proxy.pages.assets import Assets
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.pages.shop import catalog
from frontend_proxy.pages.site import Site
from frontend_proxy.problems import Problem

SCHEMES = ("light", "dark")
SAMPLE: dict[str, Any] = {
    "slug": "haneul-running-shoes",
    "name": "Haneul",
    "brand": "Gatehouse",
    "price": 89_000,
    "compare_at_price": 119_000,
    "currency": "KRW",
    "availability": "in_stock",
    "image": None,
}

_LIGHT = re.compile(r":root \{(.*?)\n\}", re.DOTALL)
_DARK = re.compile(r"prefers-color-scheme: dark\) \{\s*:root \{(.*?)\n  \}", re.DOTALL)


def pages(assets: Assets) -> list[Any]:
    """The handlers. A scheme's sheet is cut out of the site's: what is looked at is what visitors get."""
    sheet = assets.find(assets.digest, "css/site.css")
    tokens = sheet.plain.decode() if sheet else ""
    schemes = {
        f"{scheme}.css": f":root {{{found[1]}\n  color-scheme: {scheme};\n}}\n"
        for scheme, pattern in zip(SCHEMES, (_LIGHT, _DARK), strict=True)
        if (found := pattern.search(tokens))
    }

    class Design(Controller):
        path = "/design"

        @get("/")
        async def show(
            self, site: InjectedSite, anybody: InjectedPageContext, scheme: FromQuery[str] = ""
        ) -> ASGIResponse:
            return site.views.page(
                anybody,
                "design/design.html",
                items=await _products(site, anybody),
                scheme=scheme if scheme in SCHEMES else "",
                schemes=SCHEMES,
            )

        @get("/{name:str}", sync_to_thread=False)
        def sheet(self, name: FromPath[str]) -> Response[str]:
            if name not in schemes:
                raise NotFoundException
            return Response(schemes[name], media_type="text/css")

    return [Design]


async def _products(site: Site, visitor: PageContext) -> list[dict[str, Any]]:
    """Some of the shop, for its pictures; without them a sample, in each state."""
    found: list[dict[str, Any]] = []
    try:
        answer = await catalog.read(site.backend, visitor, "/api/products", {"limit": "3"})
        found = answer.document().get("items") or []
    except Problem:
        pass
    states = ("in_stock", "few_left", "sold_out")
    found = found[: len(states)] if len(found) >= len(states) else [SAMPLE] * len(states)
    return [{**item, "availability": state} for item, state in zip(found, states, strict=True)]
