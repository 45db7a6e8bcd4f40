"""What the domain refuses.

CatalogError
├── UnknownProduct          there is none, or it is not for the public
├── UnknownCategory
├── UnknownVariant
├── SlugTaken               another product or category has the address
├── SkuTaken                another variant has the SKU
├── CategoryInUse           it has products, or categories below it
├── Stale                   it was changed since the caller read it
├── InvalidLines            an order's lines that no order can have
├── OtherLines              an order's reservation was made for other lines
├── UnfitPicture            a file that is no picture for a shop
├── UnknownImage
├── BelowReserved           an adjustment would leave less than is promised to orders
└── InvalidProduct          values that are not allowed, each by its field
"""

from collections.abc import Mapping

from common.field_codes import InvalidValue
from services.catalog.domain.pictures import SENTENCES, Fault


class CatalogError(Exception):
    """A refusal of the catalog domain. Its text is for people."""


class UnknownProduct(CatalogError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("There is no such product.")


class UnknownCategory(CatalogError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("There is no such category.")


class UnknownVariant(CatalogError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("There is no such variant.")


class SlugTaken(CatalogError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("Another one has this address (slug).")


class SkuTaken(CatalogError):  # noqa: N818
    def __init__(self, sku: str) -> None:
        super().__init__(f"Another variant has the SKU {sku}.")
        self.sku = sku


class CategoryInUse(CatalogError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("The category has products or categories below it; move them first.")


class Stale(CatalogError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("It was changed since you read it; read it again and repeat your change.")


class InvalidLines(CatalogError):  # noqa: N818
    """The text says which rule the lines break."""


class OtherLines(CatalogError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("This order has a reservation for other lines; an order's lines never change.")


class BelowReserved(CatalogError):  # noqa: N818
    def __init__(self, reserved: int) -> None:
        super().__init__(f"{reserved} are promised to orders; stock cannot go below that.")
        self.reserved = reserved


class UnfitPicture(CatalogError):  # noqa: N818
    def __init__(self, fault: Fault) -> None:
        super().__init__(SENTENCES[fault])
        self.fault = fault


class UnknownImage(CatalogError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("The product has no image at this position.")


class InvalidProduct(CatalogError):  # noqa: N818
    """`faults` maps the field's path to what is wrong with its value."""

    def __init__(self, faults: Mapping[str, InvalidValue]) -> None:
        super().__init__("Some values are not valid.")
        self.faults = dict(faults)
