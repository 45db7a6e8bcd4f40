"""Payment's API document holds for generated requests, of an administrator and of the order service."""

import pytest

from tests.generated_requests import explore
from tests.stores.payment.world import INTERNAL, Shop


@pytest.mark.timeout(300)
async def test_generated_requests_meet_what_is_documented(shop: Shop) -> None:
    order = await shop.captured()
    tried = await explore(
        shop.client, shop.admin() | INTERNAL, known={"order_id": str(order), "provider": "stripe"}
    )
    assert len(tried) >= 8
