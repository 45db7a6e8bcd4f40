"""Hazard 21: whatever is given back, in whatever parts, adds up to what was paid. Hazard 22: in every currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import tax_within
from services.order.adapters.letters import amount
from services.order.domain import sums
from services.order.domain.errors import InvalidOrder, InvalidRefund
from services.order.domain.orders import Line
from services.order.domain.refunds import Plan, Refunded, all_given_back, by_amount, by_lines
from tests.unit.order.parts import line

PRICES = {
    "KRW": st.integers(1, 3_000_000),
    "USD": st.integers(1, 500_000),
    "KWD": st.integers(1, 900_000),
}


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[Line], int]:
    price = PRICES[draw(st.sampled_from(sorted(PRICES)))]
    lines = [
        line(position, draw(st.integers(1, 7)), draw(price), draw(st.sampled_from([0, 500, 1000, 2100])))
        for position in range(1, draw(st.integers(1, 4)) + 1)
    ]
    return lines, draw(st.sampled_from([0, 1, 2_999, 3_000]))


def add(before: Refunded, plan: Plan) -> Refunded:
    units = dict(before.units)
    for part in plan.parts:
        units[part.position] = units.get(part.position, 0) + part.quantity
    return Refunded(
        amount=before.amount + plan.amount, units=units, shipping=before.shipping or plan.shipping
    )


@given(orders(), st.data())
def test_refunds_of_all_units_in_any_parts_add_up_to_the_total(
    order: tuple[list[Line], int], data: st.DataObject
) -> None:
    lines, shipping = order
    total = sum(each.total for each in lines) + shipping
    before = Refunded()
    left = {each.position: each.quantity for each in lines}
    while left or (shipping and not before.shipping):
        wanted = {
            position: data.draw(st.integers(1, left[position]))
            for position in data.draw(
                st.sets(st.sampled_from(sorted(left)), min_size=1) if left else st.just(set())
            )
        }
        with_shipping = bool(shipping) and not before.shipping and (not wanted or data.draw(st.booleans()))
        # Some of it may have been given freely before; never all, so that something is left to give.
        free = data.draw(st.integers(0, (total - before.amount - 1) // 4))
        if free:
            before = add(before, by_amount(free, total, before))
        if before.amount == total:
            break
        plan = by_lines(
            wanted, with_shipping=with_shipping, lines=lines, shipping=shipping, total=total, before=before
        )
        before = add(before, plan)
        assert before.amount <= total
        left = {
            position: quantity - wanted.get(position, 0)
            for position, quantity in left.items()
            if quantity > wanted.get(position, 0)
        }
        if before.amount == total:
            break
    assert before.amount == total


@given(orders())
def test_each_line_is_its_units_to_the_last_minor_unit(order: tuple[list[Line], int]) -> None:
    for each in order[0]:
        assert sum(each.units) == each.unit_price * each.quantity
        assert sum(each.unit_taxes) == tax_within(each.unit_price * each.quantity, each.vat_rate)
        assert max(each.unit_taxes) - min(each.unit_taxes) <= 1


def test_an_order_of_odd_sums_is_given_back_unit_by_unit() -> None:
    lines = [
        Line(
            **{
                name: getattr(line(1, 3, 0, 1000), name)
                for name in Line.__slots__
                if name not in {"units", "unit_taxes"}
            },
            units=sums.units(10_000, 3),
            unit_taxes=sums.units(909, 3),
        )
    ]
    before, given_back = Refunded(), []
    for _ in range(3):
        plan = by_lines({1: 1}, with_shipping=False, lines=lines, shipping=0, total=10_000, before=before)
        given_back.append(plan.amount)
        before = add(before, plan)
    assert (sorted(given_back), plan.takes_rest) == ([3_333, 3_333, 3_334], True)


@pytest.mark.parametrize(
    ("wanted", "with_shipping", "before"),
    [
        ({9: 1}, False, Refunded()),
        ({1: 3}, False, Refunded()),
        ({1: 0}, False, Refunded()),
        ({1: 1}, False, Refunded(amount=2_000, units={1: 2})),
        ({}, False, Refunded()),
        ({}, True, Refunded(amount=3_000, shipping=True)),
        ({1: 1}, False, Refunded(amount=5_000)),
    ],
    ids=["no such line", "too many", "none", "given already", "nothing", "shipping again", "nothing left"],
)
def test_what_cannot_be_given_back_is_refused(
    wanted: dict[int, int], with_shipping: bool, before: Refunded
) -> None:
    with pytest.raises(InvalidRefund):
        by_lines(
            wanted,
            with_shipping=with_shipping,
            lines=[line(1, 2, 1_000, 1000)],
            shipping=3_000,
            total=5_000,
            before=before,
        )


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(-5, 2 * 10**9))
def test_an_amount_is_between_one_and_what_is_left(total: int, given_back: int, wanted: int) -> None:
    before = Refunded(amount=min(given_back, total))
    if 1 <= wanted <= total - before.amount:
        plan = by_amount(wanted, total, before)
        assert (plan.amount, plan.takes_rest) == (wanted, wanted == total - before.amount)
    else:
        with pytest.raises(InvalidRefund) as refused:
            by_amount(wanted, total, before)
        assert refused.value.refundable == total - before.amount


@given(orders(), st.data())
def test_hazard_22_units_of_prices_that_can_be_charged_can_be_given_back(
    order: tuple[list[Line], int], data: st.DataObject
) -> None:
    """Prices, shipping and free amounts in tens: so is every refund, also the one that takes the rest."""
    lines = [line(each.position, each.quantity, each.unit_price * 10, each.vat_rate) for each in order[0]]
    shipping = order[1] * 10
    total = sum(each.total for each in lines) + shipping
    free = data.draw(st.integers(0, (total - 10) // 10)) * 10
    before = add(Refunded(), by_amount(free, total, Refunded(), 10)) if free else Refunded()
    for each in lines:
        last = each is lines[-1]
        if before.amount < total:
            plan = by_lines(
                {each.position: each.quantity},
                with_shipping=last and bool(shipping),
                lines=lines,
                shipping=shipping,
                total=total,
                before=before,
            )
            assert plan.amount % 10 == 0
            before = add(before, plan)
    with pytest.raises(InvalidOrder):
        by_amount(data.draw(st.integers(1, 9)), total, Refunded(), 10)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (12_000, "KRW", "12,000 KRW"),
        (1_050, "USD", "10.50 USD"),
        (1_234_567, "KWD", "1,234.567 KWD"),
        (5, "KWD", "0.005 KWD"),
    ],
)
def test_hazard_22_mails_write_amounts_in_their_currencys_units(minor: int, currency: str, text: str) -> None:
    assert amount(minor, currency) == text


@pytest.mark.parametrize(
    ("before", "nothing_left"),
    [
        (Refunded(), False),
        (Refunded(amount=2_000, units={1: 2}), False),
        (Refunded(amount=2_000, units={1: 2, 2: 1}), True),
        (Refunded(amount=5_999), False),
        (Refunded(amount=6_000), True),
    ],
    ids=["nothing", "one line", "all goods, not the shipping", "a part of the money", "all money"],
)
def test_what_was_given_back_is_not_to_be_sent(before: Refunded, nothing_left: bool) -> None:
    lines = [line(1, 2, 1_000, 0), line(2, 1, 1_000, 0)]
    assert all_given_back(lines, 6_000, before) is nothing_left
