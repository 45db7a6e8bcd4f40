"""`GET /api/members`: the listing's parameters, and its cursors."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.params import QueryParameter

from services.chassis import intervals, pages
from services.chassis.errors import FieldError, InvalidInput
from services.chassis.pages import Page
from services.member.application.ports import Sort
from services.member.domain.member import Grade, Member
from services.member.web.schemas import MemberBody

Prefix = Annotated[
    str | None,
    QueryParameter(
        name="q", min_length=1, max_length=100, description="Start of the name or e-mail, any case."
    ),
]
GradeFilter = Annotated[Grade | None, QueryParameter(name="grade", description="Only members of this grade.")]
ConsentFilter = Annotated[
    bool | None,
    QueryParameter(name="marketing_consent", description="Only members who gave consent, or did not."),
]
CreatedFrom = Annotated[
    datetime | None, QueryParameter(name="created_from", description="Made at or after (RFC 3339).")
]
CreatedBefore = Annotated[
    datetime | None, QueryParameter(name="created_before", description="Made before (RFC 3339).")
]

SortOrder = Annotated[Sort, QueryParameter(name="sort", description="`-` means newest first.")]


def text(field: str, value: str | None) -> str | None:
    """Raises InvalidInput for a character that no stored text has, and that PostgreSQL would not take."""
    if value is not None and "\0" in value:
        raise InvalidInput([FieldError.of(field, "forbidden_characters")])
    return value


def moment(field: str, value: datetime | None) -> datetime | None:
    """As `intervals.moment`, of a parameter that may be left out."""
    return None if value is None else intervals.moment(field, value)


def after(cursor: str | None, sort: Sort) -> tuple[str | datetime, UUID] | None:
    """Where the page starts. Raises InvalidInput for a cursor that is not from this listing in this order."""
    if cursor is None:
        return None
    if sort in {Sort.NEWEST, Sort.OLDEST}:
        return pages.decode(cursor, sort.value, datetime)
    return pages.decode(cursor, sort.value, str)


def page(found: Sequence[Member], sort: Sort, limit: int) -> Page[MemberBody]:
    """`found` has one member more than `limit` where there is a next page."""
    shown = found[:limit]
    next_cursor = None
    if len(found) > limit:
        last = shown[-1]
        next_cursor = pages.encode(sort.value, _sort_value(last, sort), last.id)
    return Page([MemberBody.of(member) for member in shown], next_cursor)


def _sort_value(member: Member, sort: Sort) -> str | datetime:
    if sort is Sort.NAME:
        return member.profile.name.casefold()
    if sort is Sort.EMAIL:
        return member.profile.email
    return member.created_at
