"""Mails say what is so when they are sent, in the order's language."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.order.adapters.letters import Letters
from services.order.domain.orders import Address, Order, Payment, Shipment
from services.order.domain.states import Reason, State
from tests.unit.order.parts import line

NOW = datetime(2026, 11, 27, tzinfo=UTC)
LETTERS = Letters("https://shop.test", "Shop <no-reply@shop.test>")
ORDER = Order(
    id=UUID(int=7),
    number=100_007,
    owner=UUID(int=8),
    guest=False,
    email="lee@shop.test",
    lang="en",
    state=State.CANCELLED,
    reason=Reason.CANCELLED,
    version=3,
    currency="USD",
    items=2_000,
    shipping=500,
    tax=227,
    address=Address(
        recipient="Lee", phone="+8210", line1="1", line2="", city="Seoul", postal_code="1", country="KR"
    ),
    lines=(line(1, 2, 1_000, 1000),),
    payment=Payment(),
    hold_until=NOW,
    placed_at=NOW,
    updated_at=NOW,
)


def text(kind: str, order: Order = ORDER, token: str = "") -> str:
    return str(
        LETTERS.letter(
            kind, order, [Shipment(carrier="CJ", tracking_number="12", at=NOW)], token
        ).get_content()
    )


def test_a_cancelled_order_whose_money_was_collected_in_that_moment_is_not_told_that_nothing_was_paid() -> (
    None
):
    assert "You have paid nothing" in text("cancelled")
    given_back = replace(ORDER, payment=Payment(state="refunded", captured=2_500, refunded=2_500))
    assert "all of your money was given back" in text("cancelled", given_back)


def test_sums_link_and_tracking_are_there() -> None:
    shipped = text("shipped", token="a-token")
    for part in (
        "20.00 USD",
        "5.00 USD",
        "25.00 USD",
        "CJ 12",
        f"https://shop.test/orders/{ORDER.id}?token=a-token",
    ):
        assert part in shipped
    assert "CJ 12" in text("shipment_corrected")
    assert "CJ 12" not in text("paid")
    assert "주문 번호 100007" in text("paid", replace(ORDER, lang="ko"))


def test_a_kind_of_another_release_is_not_written() -> None:
    with pytest.raises(ValueError, match="no such mail"):
        text("haiku")


def test_a_refund_of_a_part_says_how_much() -> None:
    paid = replace(ORDER, state=State.PAID, reason=None)
    letter = LETTERS.letter("part_refunded", paid, [], "", 1_050)
    assert letter["Subject"] == "Part of your money was given back (100007)"
    assert "Given back  10.50 USD" in letter.get_content()
