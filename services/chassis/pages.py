"""Keyset pages: a cursor says after which row the next page starts, so that pages neither skip nor repeat rows while
others are added, and a late page costs no more than the first.

Cursors are opaque to clients: base64url JSON of the order, the last row's sort value and its id.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from services.chassis.errors import FieldError, InvalidInput

T = TypeVar("T")
K = TypeVar("K")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_CURSOR = 1024

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="At most so many items.")]
Cursor = Annotated[
    str | None,
    QueryParameter(
        max_length=MAX_CURSOR, description="`next_cursor` of the page before; absent for the first page."
    ),
]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """`next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None


def encode(sort: str, value: object, id_: UUID) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((sort, value, id_))).rstrip(b"=").decode()


def decode(cursor: str, sort: str, kind: type[K]) -> tuple[K, UUID]:
    """The sort value, of `kind`, and the id. Raises InvalidInput for a cursor that is not from this listing, also for a
    value that no row can have."""
    try:
        document = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        made_for, value, id_ = msgspec.json.decode(document, type=tuple[str, kind, UUID])  # type: ignore[valid-type]
    except (binascii.Error, ValueError) as fault:
        raise InvalidInput([FieldError.of("cursor", "invalid_cursor")]) from fault
    if made_for != sort or not _storable(value):
        raise InvalidInput([FieldError.of("cursor", "invalid_cursor")])
    return value, id_


def _storable(value: object) -> bool:
    """Whether PostgreSQL takes it: a cursor comes from whoever sends it, and no listing has to think of that."""
    match value:
        case datetime():
            try:
                return value.tzinfo is not None and value.astimezone(UTC) is not None
            except OverflowError:  # within a day of the calendar's ends, where the offset leads out of it
                return False
        case int():
            return -(2**63) <= value < 2**63
        case str():
            return "\0" not in value
        case tuple():
            return all(_storable(each) for each in value)
    return True
