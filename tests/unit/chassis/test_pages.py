from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from services.chassis import pages
from services.chassis.errors import InvalidInput

ID = UUID("00000000-0000-4000-8000-000000000001")


def test_a_cursor_leads_back_to_its_row() -> None:
    moment = datetime(2026, 11, 22, 19, 30, 0, 123456, tzinfo=UTC)
    assert pages.decode(pages.encode("-created_at", moment, ID), "-created_at", datetime) == (moment, ID)
    assert pages.decode(pages.encode("name", "김민지 \U0001f600", ID), "name", str) == (
        "김민지 \U0001f600",
        ID,
    )


def test_a_cursor_is_safe_in_a_url() -> None:
    for _ in range(50):
        assert pages.encode("name", "~?>é", uuid4()).replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("cursor", ["", "!", "é", "AAAA", "bnVsbA", "e30", "WyJuYW1lIl0", "WyJuYW1lIiwxLDJd"])
def test_what_is_no_cursor_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        pages.decode(cursor, "name", str)
    assert caught.value.errors[0].field == "cursor"


def test_a_cursor_of_another_order_or_type_is_refused() -> None:
    cursor = pages.encode("name", "Minji", ID)
    for sort, kind in (("email", str), ("name", datetime)):
        with pytest.raises(InvalidInput):
            pages.decode(cursor, sort, kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2026-11-22T19:30:00", datetime),
        ("0001-01-01T00:00:00+23:59", datetime),
        ("9999-12-31T23:59:59-23:59", datetime),
        (2**63, int),
        (-(2**63) - 1, int),
        ("a\0", str),
        ((3, "a\0"), tuple[int, str]),
        ((2**63, "a"), tuple[int, str]),
    ],
)
def test_a_value_that_no_row_can_have_is_refused_before_the_database_is_asked(
    value: object, kind: type
) -> None:
    with pytest.raises(InvalidInput) as caught:
        pages.decode(pages.encode("x", value, ID), "x", kind)
    assert caught.value.errors[0].code == "invalid_cursor"


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-11-22T19:30:00+09:00"]
)
def test_the_calendars_ends_belong_to_it(at: str) -> None:
    assert pages.decode(pages.encode("x", at, ID), "x", datetime) == (datetime.fromisoformat(at), ID)
