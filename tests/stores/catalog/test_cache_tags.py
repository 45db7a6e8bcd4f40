"""What visitors are shown changes: its tags are named, where the gateway's cache hears of them. Nothing else is."""

import asyncio
import io
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from PIL import Image

from common.redis_link import RedisLink
from services.catalog.settings import Settings
from services.chassis.cache_tags import STREAM
from tests.stores.catalog.shop import ShopApi
from tests.waiting import WITHIN

EVERY_LIST = "products"


class Moved:
    """The tags that have moved since they were looked at last."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._last = b"-"
        self.entries = 0

    async def look(self) -> set[str]:
        found: set[str] = set()
        for entry, fields in await self._link.command(b"XRANGE", STREAM, self._last, b"+"):
            self._last = b"(" + entry
            self.entries += 1
            found |= set(fields[1].decode().split(","))
        return found

    async def until(self, *tags: str) -> set[str]:
        """All that moved, once these have."""
        found: set[str] = set()
        async with asyncio.timeout(WITHIN):
            while not found >= set(tags):
                await asyncio.sleep(0.01)
                found |= await self.look()
        return found


@pytest.fixture
async def moved(settings: Settings, api: ShopApi) -> AsyncIterator[Moved]:
    async with RedisLink(settings.redis_url, 5.0) as link:
        moved = Moved(link)
        await moved.look()
        yield moved


async def test_a_product_that_is_made_changed_or_deleted(api: ShopApi, moved: Moved) -> None:
    category = await api.category()
    made = await api.product(category, "shoe")
    its, page = f"product:{made['id']}", "path:/api/products/shoe"
    await moved.until("categories", its, EVERY_LIST, page)
    await api.change("PATCH", made["id"], 1, {"slug": "boot"})
    await moved.until(its, EVERY_LIST, page, "path:/api/products/boot")
    await api.change("DELETE", made["id"], 2)
    await moved.until(its, EVERY_LIST, "path:/api/products/boot")


async def test_a_category_that_is_made_renamed_or_deleted(api: ShopApi, moved: Moved) -> None:
    category = await api.category()
    await moved.until("categories", EVERY_LIST)
    headers = {**api.admin, "If-Match": '"1"'}
    address = f"/api/categories/{category}"
    renamed = await api.client.patch(address, json={"names": {"ko": "구두"}}, headers=headers)
    assert renamed.status_code == 200, renamed.text
    await moved.until("categories", EVERY_LIST)
    gone = await api.client.delete(address, headers={**api.admin, "If-Match": '"2"'})
    assert gone.status_code == 204, gone.text
    await moved.until("categories", EVERY_LIST)


async def test_a_picture_that_is_put_or_taken_away(api: ShopApi, moved: Moved) -> None:
    made = await api.product(await api.category(), "shoe")
    await moved.until(f"product:{made['id']}")
    out = io.BytesIO()
    Image.new("RGB", (40, 40), "navy").save(out, "PNG")
    address, headers = f"/api/products/{made['id']}/images/0", {**api.admin, "If-Match": "*"}
    put = await api.client.put(
        address, content=out.getvalue(), headers={**headers, "Content-Type": "image/png"}
    )
    assert put.status_code in {200, 201}, put.text
    await moved.until(f"product:{made['id']}", EVERY_LIST)
    taken = await api.client.delete(address, headers=headers)
    assert taken.is_success, taken.text
    await moved.until(f"product:{made['id']}", EVERY_LIST)


async def test_stock_moves_a_tag_only_where_a_shopper_is_told_something_else(
    api: ShopApi, moved: Moved
) -> None:
    made = await api.product(await api.category(), "shoe")
    (variant,) = made["variants"]
    its = f"product:{made['id']}"
    await moved.until(its)
    await api.stocked("SKU-shoe", 100)  # sold out -> in stock: lists of what can be bought hold it now
    assert EVERY_LIST in await moved.until(its)
    order = UUID(int=1)
    await api.reserve("held", {variant["id"]: 10}, order)
    await api.reserve("committed", {variant["id"]: 10}, order)
    await api.stocked("SKU-shoe", 5)
    before = moved.entries
    await api.reserve("held", {variant["id"]: 92})  # 3 left of 95: few
    assert await moved.until(its) == {its}, "few left changes no list"
    assert moved.entries == before + 1, "selling of many tells nobody anything"
    await api.reserve("held", {variant["id"]: 3})
    assert await moved.until(its) == {its, EVERY_LIST}
