"""Carts: what merging and price changes come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.order.domain.carts import (
    MAX_LINES,
    MAX_QUANTITY,
    Item,
    PriceChange,
    merged,
    price_changes,
    with_at_least,
)
from services.order.domain.errors import CartFull

ITEMS = st.lists(
    st.builds(
        Item, st.sampled_from("ABCDEFGH"), st.integers(1, MAX_QUANTITY), st.none() | st.integers(0, 99)
    ),
    max_size=8,
    unique_by=lambda item: item.sku,
)


@given(ITEMS, ITEMS)
def test_hazard_24_merging_sums_each_sku_once(member: list[Item], guest: list[Item]) -> None:
    result = {item.sku: item.quantity for item in merged(member, guest)}
    ours, theirs = ({item.sku: item.quantity for item in items} for items in (member, guest))
    assert result == {sku: min(ours.get(sku, 0) + theirs.get(sku, 0), MAX_QUANTITY) for sku in ours | theirs}


def test_a_cart_that_would_be_too_full_is_refused_and_not_cut() -> None:
    member = [Item(f"A{number}", 1, None) for number in range(MAX_LINES)]
    for more in (merged, with_at_least):
        with pytest.raises(CartFull):
            more(member, [Item("B", 1, None)])


@given(ITEMS, ITEMS)
def test_ordering_again_never_lowers_a_quantity_and_changes_nothing_twice(
    cart: list[Item], ordered: list[Item]
) -> None:
    once = with_at_least(cart, ordered)
    assert with_at_least(once, ordered) == once
    there, wanted, result = ({item.sku: item.quantity for item in items} for items in (cart, ordered, once))
    assert result == {sku: max(there.get(sku, 0), wanted.get(sku, 0)) for sku in there | wanted}


def test_only_prices_that_were_seen_and_differ_are_changes() -> None:
    items = [Item("A", 1, 10), Item("B", 1, 10), Item("C", 1, None), Item("D", 1, 10)]
    assert price_changes(items, {"A": 10, "B": 12, "C": 5}) == (PriceChange("B", 10, 12),)
