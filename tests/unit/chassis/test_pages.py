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
