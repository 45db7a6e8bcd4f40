"""Forms that no page here shows: whoever sends one is answered, and no page fails."""

from typing import Any

import pytest

from tests.frontend import test_stock_pages as stock
from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token
from tests.frontend.fulfilment import KEY
from tests.frontend.shopping import gateway, send
from tests.frontend.test_product_pictures import Album, upload
from tests.frontend.test_products_admin import ID, catalog, typed

NO_KEY = "-" * 36


async def test_a_key_that_is_no_uuid_counts_as_none(front: Front) -> None:
    Album(front)
    assert (await upload(front, ("one.png", b"1"), idempotency_key=NO_KEY))[0] == 303
    sent = stock.catalog(front)
    form = {"product": stock.LEVEL["product_id"], "reason": "delivery", "q_SHOE-250": "2"}
    assert (await send(front, "/admin/stock", {**form, "idempotency_key": NO_KEY}))[0] == 303
    assert len(sent) == 1


@pytest.mark.parametrize(
    "changes",
    [{"v0_weight": "9" * 5000}, {"base": "[" * 100_000}, {"base": "[" * 100_000, "action": "grid"}],
    ids=["a weight of 5,000 digits", "a base that is nested too deep", "the same for the grid"],
)
@pytest.mark.parametrize("page", ["new", ID])
async def test_a_products_form_may_hold_anything(front: Front, page: str, changes: dict[str, str]) -> None:
    sent = catalog(front)
    assert (await send(front, f"/admin/products/{page}", typed(**changes)))[0] in {200, 303}
    assert all(("weight_grams" in body["variants"][0]) is ("base" in changes) for *_, body, _ in sent)


@pytest.mark.parametrize("form", [{}, {"action": "grid"}, {"action": "grid", "o0_ko": "색"}])
async def test_a_product_without_rows_comes_back_with_one(front: Front, form: dict[str, str]) -> None:
    sent = catalog(front)
    status, _, text = await send(front, "/admin/products/new", form)
    assert status in {200, 400} and sent == []
    assert 'name="v0_sku"' in text


@pytest.mark.parametrize("number", ["+1", "007", "1_0", "%201", "%D9%A1%D9%A2", "-5", "0", "9" * 5000])
async def test_a_message_has_one_address(front: Front, number: str) -> None:
    front.keep("/", access_token=access_token(roles=("admin",)))
    answers: dict[str, Any] = {}
    front.gateway.answer = gateway(answers)
    path = f"/admin/stuck/order/{number}/retry"
    assert (await send(front, path, {"idempotency_key": KEY}))[0] == 404
    assert front.gateway.seen == []
