"""Guests order without an account: a mailed link opens the order for them, and later an account takes it over."""

import asyncio
import email
import re
from email.policy import default
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.chassis.postgres import Database
from services.order.adapters import mail_writer
from services.order.settings import Settings
from tests.stores.order.shop import Shop

LINK = re.compile(r"https://shop\.test/orders/([0-9a-f-]{36})\?token=(\S+)")


async def mails(folder: Path, count: int) -> list[str]:
    """The texts, once there are so many."""
    while len(list((folder / "mail").glob("*.eml"))) < count:
        await asyncio.sleep(0.01)
    return [
        str(email.message_from_bytes(file.read_bytes(), policy=default).get_content())
        for file in sorted((folder / "mail").glob("*.eml"))
    ]


async def test_hazard_25_a_guests_order_opens_by_an_unguessable_link_and_by_nothing_else(
    shop: Shop, settings: Settings, tmp_path: Path
) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    guest = shop.guest()
    id_ = await shop.placed(guest, email="lee@shop.test")
    await shop.becomes(guest, id_, "held")
    (text,) = await mails(tmp_path, 1)
    found = LINK.search(text)
    assert found is not None
    assert UUID(found[1]) == id_
    for path in (f"/api/orders/{id_}", f"/api/orders/{id_}/events"):
        assert (await shop.api.get(f"{path}?token={found[2]}")).status_code == 200
        assert (await shop.api.get(f"{path}?token={found[2]}x")).status_code == 404
        assert (await shop.api.get(f"{path}?token=")).status_code == 404
        assert (await shop.api.get(path)).status_code == 401
    # It opens one order, and for reading.
    other = await shop.placed(shop.guest())
    assert (await shop.api.get(f"/api/orders/{other}?token={found[2]}")).status_code == 404
    seen = (await shop.api.get(f"/api/orders/{id_}?token={found[2]}")).json()
    assert (seen["actions"], seen["owner"]) == ([], None)
    assert (await shop.api.post(f"/api/orders/{id_}/cancel?token={found[2]}")).status_code == 401

    database = Database(settings.database_url, application="tests", pool_max=2)
    async with database.lifespan():
        rows = await database.fetch("SELECT row_to_json(order_link)::text AS row FROM order_link")
        rows += await database.fetch("SELECT row_to_json(outbox)::text AS row FROM outbox")
    assert rows
    assert not [row for row in rows if found[2] in row["row"]]


async def test_members_mails_have_no_token_and_say_what_was_bought(shop: Shop, tmp_path: Path) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SHOE-250", 2)
    texts = await mails(tmp_path, 2)
    assert all(f"https://shop.test/orders/{id_}\n" in text for text in texts)
    assert all("2 × 신발  120,000 KRW" in text for text in texts)
    assert "결제가 완료되었습니다" in texts[1]


async def test_orders_that_nobody_pays_fill_nobodys_mailbox(
    shop: Shop, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_writer, "MOST_UNPAID", 2)
    shop.catalog.sell("SHOE-250", 60_000, 10)
    for _ in range(3):
        await shop.placed(shop.guest(), email="lee@shop.test")
    paid = await shop.paid(shop.guest())
    somebody_else = await shop.placed(shop.guest(), email="kim@shop.test")
    database = Database(settings.database_url, application="tests", pool_max=2)
    async with database.lifespan():
        while await database.fetch("SELECT FROM outbox WHERE target = 'mail'"):
            await asyncio.sleep(0.01)
    told = [LINK.search(text) for text in await mails(tmp_path, 4)]
    orders = [UUID(found[1]) for found in told if found]
    assert len(orders) == 4
    assert (orders.count(paid), orders.count(somebody_else)) == (1, 1), "what was paid is told"


async def test_a_confirmed_account_takes_over_the_orders_of_its_address_once(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    guest = shop.guest()
    mine = await shop.placed(guest, email="Lee@Shop.test")
    others = await shop.placed(shop.guest(), email="kim@shop.test")

    async def claim(who: dict[str, str]) -> tuple[int, int]:
        answer = await shop.api.post("/api/orders/claim", headers=who)
        return answer.status_code, answer.json().get("claimed", 0)

    assert await claim(shop.member(email="lee@shop.test", confirmed=False)) == (403, 0)
    assert await claim(guest) == (403, 0)  # nobody has an account by it that could be asked for
    lee = shop.member(uuid4(), email="lee@shop.test")
    assert await claim(lee) == (200, 1)
    assert await claim(lee) == (200, 0)
    assert (await shop.order(lee, mine))["guest"] is False
    assert (await shop.api.get(f"/api/orders/{others}", headers=lee)).status_code == 404
    assert (await shop.api.get(f"/api/orders/{mine}", headers=guest)).status_code == 404
    assert "claimed" in await shop.events(lee, mine)
