"""The order service's API document holds for generated requests, of an administrator who also has orders."""

from uuid import uuid4

import pytest

from tests.generated_requests import explore
from tests.stores.order.shop import INTERNAL_KEY, Shop


@pytest.mark.timeout(300)
async def test_generated_requests_meet_what_is_documented(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    boss = {"Authorization": f"Bearer {shop.signer.token(roles=['admin', 'member'], sub=str(uuid4()))}"}
    id_ = await shop.paid(boss)
    headers = {**boss, "X-Internal-Key": INTERNAL_KEY}
    tried = await explore(shop.api, headers, known={"order_id": str(id_), "sku": "SHOE-250"})
    assert len(tried) >= 18
