"""Carts that nobody comes back to are forgotten; what an order was made of is not."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from services.chassis.postgres import Database
from services.order.adapters.carts_postgres import KEPT, PostgresCarts
from services.order.domain.carts import Item
from services.order.settings import Settings
from tests.stores.order.shop import Shop


async def test_old_carts_are_forgotten_and_ordered_ones_kept(shop: Shop, settings: Settings) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    id_ = await shop.placed(shop.member())
    database = Database(settings.database_url, application="tests", pool_max=2)
    async with database.lifespan():
        carts, now = PostgresCarts(database, uuid4), datetime.now(UTC)
        old, new = uuid4(), uuid4()
        await carts.write(old, [Item("A", 1, None)], now - KEPT - timedelta(minutes=1))
        await carts.write(new, [Item("A", 1, None)], now)
        await database.fetch("UPDATE cart SET updated_at = $1 WHERE order_id = $2", now - 2 * KEPT, id_)
        # The service's own round may have been faster.
        await carts.forget(now - KEPT, 100)
        assert await carts.find(old) is None
        assert await carts.find(new) is not None
        assert len(await database.fetch("SELECT FROM cart WHERE order_id = $1", id_)) == 1
