"""By which tags the gateway's cache finds what a change of the catalog concerns. Pure."""

from collections.abc import Iterable
from uuid import UUID

from services.catalog.domain.stock import Availability

LISTS = "products"
"""Of every list and every suggestion."""
CATEGORIES = "categories"
"""Of the tree, and of whatever names a category."""


def of_product(id_: UUID, *slugs: str) -> set[str]:
    """The product wherever it is shown, the lists that it may now be in, and "there is none" at its addresses."""
    return {f"product:{id_}", LISTS, *(f"path:/api/products/{slug}" for slug in slugs)}


def of_stock(changes: Iterable[tuple[UUID, Availability, Availability]]) -> set[str]:
    """Each product, what was told of it before, and what is told now. Lists of what can be bought hold others only
    where something is sold out, or no longer."""
    tags = set()
    for product, before, after in changes:
        if before is not after:
            tags.add(f"product:{product}")
            if Availability.SOLD_OUT in (before, after):
                tags.add(LISTS)
    return tags
