"""/sitemap.xml and /robots.txt: what search engines are shown of the shop."""

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from litestar import Controller, get
from litestar.response.base import ASGIResponse

from common.languages import LANGUAGES
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.pages.shop import catalog
from frontend_proxy.pages.site import Site, require_status

MOST = 2_000
"""Products that one sitemap names: a reading of the catalog for each hundred. The protocol's own bound is 50,000."""
AT_ONCE = 100
_NAMESPACES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
_CLOSED = ("/account", "/admin", "/api/", "/cart", "/checkout", "/members", "/orders", "/sign-in")


class ForSearchEngines(Controller):
    """Public, and the same for everybody."""

    @get("/robots.txt", sync_to_thread=False)
    def robots(self, guest: InjectedPageContext) -> ASGIResponse:
        closed = "".join(f"Disallow: {path}\n" for path in _CLOSED)
        text = f"User-agent: *\n{closed}Allow: /\n\nSitemap: {guest.origin}/sitemap.xml\n"
        return ASGIResponse(body=text, media_type="text/plain", headers={"Cache-Control": "max-age=3600"})

    @get("/sitemap.xml")
    async def sitemap(self, site: InjectedSite, guest: InjectedPageContext) -> ASGIResponse:
        paths = ["/", "/products", *(f"/categories/{slug}" for slug in _slugs(await site.shelves.of(guest)))]
        paths += [f"/products/{slug}" for slug in await _products(site, guest)]
        entries = "".join(_entry(guest.origin, path) for path in paths)
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {_NAMESPACES}>\n{entries}</urlset>\n'
        return ASGIResponse(
            body=body, media_type="application/xml", headers={"Cache-Control": "public, max-age=3600"}
        )


def _slugs(shelves: list[dict[str, Any]]) -> Iterator[str]:
    for shelf in shelves:
        yield shelf["slug"]
        yield from _slugs(shelf["children"])


async def _products(site: Site, guest: PageContext) -> list[str]:
    """Raises Problem where the catalog is down: half a sitemap would take pages out of the search engines' lists."""
    found: list[str] = []
    query = {"limit": str(AT_ONCE), "sort": "newest"}
    while len(found) < MOST:
        answer = await catalog.read(site.backend, guest, "/api/products", query)
        listed = require_status(answer, 200).document()
        found += [item["slug"] for item in listed["items"]]
        if listed["next_cursor"] is None:
            break
        query["cursor"] = listed["next_cursor"]
    return found


def _entry(origin: str, path: str) -> str:
    address = escape(f"{origin}{path}")
    others = "".join(
        f'<xhtml:link rel="alternate" hreflang="{language}" href="{address}?lang={language}"/>'
        for language in LANGUAGES
    )
    return f"<url><loc>{address}</loc>{others}</url>\n"
