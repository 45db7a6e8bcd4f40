"""/products/{slug}: a product's page."""

import re
from typing import Any, Self

import msgspec
from litestar import Controller, Router, get
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse
from markupsafe import Markup

from common.money import EXPONENTS
from frontend_proxy.pages.dependencies import InjectedPageContext, InjectedSite
from frontend_proxy.pages.kept_pages import KeptPages
from frontend_proxy.pages.page_context import PageContext, PageRequest
from frontend_proxy.pages.shop import catalog
from frontend_proxy.pages.shop.choosing import chosen_variant, option_states
from frontend_proxy.pages.site import Site, require_status
from frontend_proxy.pages.translator import Translator
from frontend_proxy.problems import Problem

SOLD = {
    "in_stock": "https://schema.org/InStock",
    "few_left": "https://schema.org/LimitedAvailability",
    "sold_out": "https://schema.org/SoldOut",
}


SLUG = re.compile(r"[a-z0-9-]{1,100}")
UNREADABLE = re.compile(r"documents|suggestions|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What stands at a product's place in the API and is none: lists, and documents by their ids."""


class Seen(msgspec.Struct, frozen=True):
    """All that the page is told of who looks at it and of what was asked: two with the same see the same page.

    Its template gets this in the visitor's place, so that it cannot show what the page is not kept by.
    """

    language: str
    origin: str
    target: str
    in_cart: int
    signed_in: bool
    admin: bool

    @classmethod
    def of(cls, visitor: PageContext) -> Self:
        return cls(
            visitor.language,
            visitor.origin,
            visitor.target,
            visitor.in_cart,
            visitor.signed_in,
            visitor.admin,
        )


class ProductPage(Controller):
    """A product, with the variant that its query names or the first that can be bought."""

    def __init__(self, owner: Router) -> None:
        super().__init__(owner)
        self._kept = KeptPages()

    @get("/products/{slug:str}")
    async def show(
        self,
        request: PageRequest,
        site: InjectedSite,
        anybody: InjectedPageContext,
        slug: FromPath[str],
        done: FromQuery[str] = "",
    ) -> ASGIResponse:
        if not SLUG.fullmatch(slug) or UNREADABLE.fullmatch(slug):
            raise Problem(404, "", "There is no such product.")
        shelves = await site.shelves.of(anybody)
        answer = require_status(await catalog.read(site.backend, anybody, f"/api/products/{slug}"), 200)
        seen = Seen.of(anybody)

        def render() -> bytes:
            return content(site, seen, answer.document(), dict(request.query_params), done).encode()

        return site.views.answer(anybody, self._kept.page((answer.body, seen), shelves, render))


def content(site: Site, seen: Seen, product: dict[str, Any], asked: dict[str, str], done: str = "") -> str:
    """The page of `product` with what `asked` chooses of its options."""
    variant = chosen_variant(product, asked)
    translator = site.views.translator(seen)
    pictures = [site.views.media(seen, image["hash"], image["widths"][-1]) for image in product["images"]]
    return site.views.content(
        seen,
        "shop/product.html",
        product=product,
        variant=variant,
        options=option_states(product, variant),
        done=done,
        variants=_variants(product, translator),
        pictures=pictures,
        structured=_structured(product, variant, seen, pictures),
        quantity=asked.get("quantity", "1"),
        sending=site.shipping.promise(translator),
    )


def _variants(product: dict[str, Any], translator: Translator) -> str:
    """All variants, as the page's script shows them."""
    currency = product["currency"]
    return msgspec.json.encode(
        [
            {
                "sku": each["sku"],
                "values": each["values"],
                "price": translator.money(each["price"], currency),
                "before": translator.money(each["compare_at_price"], currency)
                if each["compare_at_price"]
                else "",
                "off": discount(each["price"], each["compare_at_price"]),
                "availability": each["availability"],
            }
            for each in product["variants"]
        ]
    ).decode()


def discount(price: int, before: int | None) -> int:
    """By how many per cent `price` is below `before`, rounded down: nobody is promised more than they get."""
    return (before - price) * 100 // before if before and before > price else 0


def _structured(product: dict[str, Any], variant: dict[str, Any], seen: Seen, pictures: list[str]) -> Markup:
    """schema.org's Product as JSON-LD. A data block runs nothing, and holds no `<` that could end it."""
    address = f"{seen.origin}/products/{product['slug']}"
    digits = EXPONENTS.get(product["currency"], 2)
    price = variant["price"]
    written = f"{price / 10**digits:.{digits}f}"
    document = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product["name"],
        "description": product["description"],
        "sku": variant["sku"],
        "url": address,
        "brand": {"@type": "Brand", "name": product["brand"]},
        "image": pictures,
        "offers": {
            "@type": "Offer",
            "url": address,
            "priceCurrency": product["currency"],
            "price": written,
            "availability": SOLD[variant["availability"]],
            "itemCondition": "https://schema.org/NewCondition",
        },
    }
    return Markup(msgspec.json.encode(document).decode().replace("<", "\\u003c"))  # noqa: S704 - no tag can end it
