"""What a shopkeeper's number means, by its reason."""

from typing import Any

import pytest

from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.stock.adjusting import MOST, REASONS, wanted


@pytest.mark.parametrize(
    ("reason", "text", "asked"),
    [
        ("delivery", "12", {"change": 12}),
        ("returned", "1,000", {"change": 1000}),
        ("damaged", "2", {"change": -2}),
        ("lost", "\uff12", {"change": -2}),
        ("count", "0", {"counted": 0}),
        ("count", "7", {"counted": 7}),
        ("correction", "+3", {"change": 3}),
        ("correction", "\u22123", {"change": -3}),
    ],
)
def test_the_reason_says_what_the_number_means(reason: str, text: str, asked: dict[str, Any]) -> None:
    body, wrong = wanted("A", Form({"reason": reason, "quantity": text, "note": " n "}))
    assert (body, wrong) == ({"sku": "A", "reason": reason, "note": "n", **asked}, {})


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("text", ["", "many", "1.5", "1e3", "\u3164", "--1", "9" * 11])
def test_what_is_no_number_is_said(reason: str, text: str) -> None:
    assert wanted("A", Form({"reason": reason, "quantity": text})).wrong == {"quantity": "stock.not_a_number"}


@pytest.mark.parametrize(
    ("reason", "text", "key"),
    [
        ("delivery", "0", "change"),
        ("delivery", "-1", "change"),
        ("damaged", "-1", "change"),
        ("correction", "0", "change"),
        ("count", "-1", "count"),
        ("delivery", str(MOST + 1), "change"),
        ("count", str(MOST + 1), "count"),
    ],
)
def test_a_number_that_the_reason_does_not_take_is_said(reason: str, text: str, key: str) -> None:
    found = wanted("A", Form({"reason": reason, "quantity": text}))
    assert found.wrong == {"quantity": f"stock.not_so_many_{key}"}


def test_a_reason_is_chosen_from_the_list() -> None:
    assert wanted("A", Form({"reason": "sale", "quantity": "1"})).wrong == {"reason": "stock.choose_reason"}
