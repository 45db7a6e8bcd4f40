"""A typed refund becomes the API's body, or is said to be wrong beside its field."""

from typing import Any

import pytest

from frontend_proxy.pages.forms import Form
from frontend_proxy.pages.fulfilment.wanted_refund import Fault, read

ORDER: dict[str, Any] = {"currency": "KRW", "lines": [{"position": 1}, {"position": 2}]}
LEFT = {1: 3, 2: 0}


def test_units_and_shipping_are_asked_for_by_line() -> None:
    form = Form({"by": "lines", "units_1": "2", "units_2": "0", "shipping": "on", "reason": "returned"})
    wanted = read(form, ORDER, LEFT)
    assert wanted == (
        {"reason": "returned", "lines": [{"line": 1, "quantity": 2}], "shipping": True},
        {},
        False,
    )


def test_an_amount_is_of_no_line_whatever_else_was_typed() -> None:
    form = Form({"by": "amount", "amount": "1,000", "units_1": "2", "shipping": "on", "reason": "other"})
    assert read(form, ORDER, LEFT).body == {"reason": "other", "amount": 1000}


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"units_1": "4"}, {"units_1": Fault("too_large", {"max": 3})}),
        ({"units_1": "-1"}, {"units_1": Fault("too_large", {"max": 3})}),
        ({"units_2": "1"}, {"units_2": Fault("too_large", {"max": 0})}),
        ({"by": "amount", "amount": "much"}, {"amount": Fault("invalid", {})}),
        ({"by": "amount"}, {"amount": Fault("required", {})}),
        ({"by": "amount", "amount": "0"}, {"amount": Fault("invalid", {})}),
        ({"units_1": "1", "reason": "whim"}, {"reason": Fault("not_allowed", {})}),
        ({"units_1": "1", "note": "x" * 201}, {"note": Fault("too_long", {"max": 200})}),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(fields: dict[str, str], faults: dict[str, Fault]) -> None:
    assert read(Form({"reason": "returned", **fields}), ORDER, LEFT).faults == faults


def test_nothing_chosen_is_nothing_to_ask_for() -> None:
    assert read(Form({"by": "lines", "reason": "returned"}), ORDER, LEFT).empty
