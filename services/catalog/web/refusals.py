"""The domain's refusals and the statuses that they have over HTTP; the one table of it."""

from services.catalog.domain.errors import (
    BelowReserved,
    CategoryInUse,
    InvalidLines,
    InvalidProduct,
    OtherLines,
    SkuTaken,
    SlugTaken,
    Stale,
    UnfitPicture,
    UnknownCategory,
    UnknownImage,
    UnknownProduct,
    UnknownVariant,
)
from services.catalog.web.caching import CACHE_CONTROL
from services.chassis import errors
from services.chassis.problems import Refusals


def _invalid(error: InvalidProduct) -> errors.Problem:
    return errors.InvalidInput(
        [errors.FieldError.refusing(field, fault) for field, fault in error.faults.items()]
    )


def _unfit(error: UnfitPicture) -> errors.Problem:
    return errors.Unprocessable(str(error), code=error.fault.value)


def _no_product(fault: UnknownProduct) -> errors.Problem:
    """The same for everybody, so that the gateway's cache may keep it for a moment."""
    return errors.NotFound(str(fault), headers={"Cache-Control": CACHE_CONTROL})


REFUSALS: Refusals = {
    UnknownProduct: _no_product,
    UnknownCategory: errors.NotFound,
    UnknownVariant: errors.NotFound,
    UnknownImage: errors.NotFound,
    UnfitPicture: _unfit,
    SlugTaken: lambda fault: errors.Conflict(str(fault), code="slug_taken"),
    SkuTaken: lambda fault: errors.Conflict(str(fault), code="sku_taken", sku=fault.sku),
    CategoryInUse: errors.Conflict,
    OtherLines: errors.Conflict,
    BelowReserved: lambda fault: errors.Conflict(str(fault), code="below_reserved", reserved=fault.reserved),
    Stale: errors.PreconditionFailed,
    InvalidLines: errors.BadRequest,
    InvalidProduct: _invalid,
}
