"""Which variant a choice means, how far an order is, and amounts as people write them."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from frontend_proxy.pages.checkout.placement import body
from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.orders.progress import milestones, moving, story
from frontend_proxy.pages.profiles import as_dialled
from frontend_proxy.pages.shop.choosing import chosen_variant, exactly, option_states
from frontend_proxy.pages.shop.product import discount
from frontend_proxy.pages.translator import Translations, Translator

WORDS = Translations(Path("frontend_proxy/pages"))
SEOUL = ZoneInfo("Asia/Seoul")


def product(*variants: tuple[str, str, str]) -> dict[str, Any]:
    colours, sizes = sorted({v[0] for v in variants}), sorted({v[1] for v in variants})
    return {
        "options": [
            {"code": "color", "name": "Colour", "values": [{"code": c, "name": c} for c in colours]},
            {"code": "size", "name": "Size", "values": [{"code": s, "name": s} for s in sizes]},
        ],
        "variants": [
            {"sku": f"{colour}-{size}", "values": [colour, size], "availability": availability}
            for colour, size, availability in variants
        ],
    }


SHOE = product(("black", "250", "in_stock"), ("blue", "240", "sold_out"), ("blue", "260", "in_stock"))


def states(chosen: dict[str, str]) -> dict[str, tuple[bool, bool, bool]]:
    found = option_states(SHOE, chosen_variant(SHOE, chosen))
    return {
        value["code"]: (value["chosen"], value["possible"], value["sold_out"])
        for option in found
        for value in option["values"]
    }


def test_without_a_choice_the_first_that_can_be_bought_is_shown() -> None:
    assert chosen_variant(SHOE, {})["sku"] == "black-250"
    assert chosen_variant(SHOE, {"o_color": "blue"})["sku"] == "blue-260"


def test_a_choice_that_is_sold_out_stays_chosen_and_an_impossible_one_gives_way_to_the_first_option() -> None:
    assert chosen_variant(SHOE, {"o_color": "blue", "o_size": "240"})["sku"] == "blue-240"
    assert chosen_variant(SHOE, {"o_color": "blue", "o_size": "250"})["sku"] == "blue-260"


def test_an_option_is_limited_by_the_options_before_it_and_the_first_never_is() -> None:
    assert states({"o_color": "blue", "o_size": "240"}) == {
        "black": (False, True, False),
        "blue": (True, True, False),
        "240": (True, True, True),
        "250": (False, False, True),
        "260": (False, True, False),
    }


def test_what_goes_into_a_cart_is_exactly_what_was_chosen() -> None:
    found = exactly(SHOE, {"o_color": "blue", "o_size": "260"})
    assert found and found["sku"] == "blue-260"
    assert exactly(SHOE, {"o_color": "blue", "o_size": "250"}) is None
    assert exactly(SHOE, {"o_color": "blue"}) is None


@pytest.mark.parametrize(
    ("price", "before", "off"),
    [(89_000, 119_000, 25), (100, None, 0), (100, 100, 0), (999, 1000, 0), (0, 10, 100)],
)
def test_a_reduction_is_never_promised_larger_than_it_is(price: int, before: int | None, off: int) -> None:
    assert discount(price, before) == off


@pytest.mark.parametrize(
    ("language", "amount", "currency", "written"),
    [
        ("ko", 89_000, "KRW", "89,000원"),
        ("en", 89_000, "KRW", "₩89,000"),
        ("en", 1_000, "USD", "$10.00"),
        ("ko", 123_456, "KWD", "KWD\u00a0123.456"),
        ("en", -5, "USD", "-$0.05"),
    ],
)
def test_amounts_are_written_as_people_write_them(
    language: str, amount: int, currency: str, written: str
) -> None:
    assert Translator(WORDS, language, SEOUL).money(amount, currency) == written


def test_every_state_of_an_order_has_its_words() -> None:
    from services.order.domain.states import State

    keys = WORDS.keys("en")
    for state in State:
        assert {f"orders.{kind}_{state.value}" for kind in ("state", "title", "lead")} <= keys


def test_only_what_a_shopper_cares_for_is_told_and_each_once() -> None:
    states = ["placed", "held", "paying", "authorised", "committed", "paid", "paid", "shipped"]
    events = [{"at": "", "event": "", "state": state} for state in states]
    assert [event["state"] for event in story(events)] == ["placed", "paid", "shipped"]
    assert [reached for _, reached in milestones("shipped")] == [True, True, True, False]
    assert milestones("cancelled") == []


@pytest.mark.parametrize(
    ("state", "pending", "moves"), [("paying", 0, True), ("paid", 0, False), ("paid", 5, True)]
)
def test_a_page_looks_again_only_where_something_moves(state: str, pending: int, moves: bool) -> None:
    assert moving({"state": state, "payment": {"refund_pending": pending}}) is moves


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("+821012345678", "010-1234-5678"),
        ("+8221234567", "02-123-4567"),
        ("+14155550100", "+14155550100"),
        (None, ""),
    ],
)
def test_a_phone_number_is_shown_as_people_dial_it(stored: str | None, shown: str) -> None:
    assert as_dialled(stored) == shown


def test_numbers_of_a_form_that_cannot_be_read_are_those_of_no_cart() -> None:
    sent = body(Form({"cart_version": "９", "expected_total": "9" * 40, "where": "7"}), None, "ko")
    assert (sent["cart_version"], sent["expected_total"]) == (1, 0)
    assert sent["address"]["country"] == "KR"
