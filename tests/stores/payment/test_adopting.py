"""Payment on a database that was restored to an earlier moment: it learns the rest from the provider's pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from services.chassis.postgres import Database
from services.payment.adapters.payments_postgres import PostgresPayments
from services.payment.adapters.stripe_provider import StripeProvider
from services.payment.app import build
from services.payment.application.adopting import Adopted, AdoptionService
from services.payment.settings import Settings
from tests.in_process import running
from tests.signing import Signer
from tests.stores.payment.world import NewDatabase, Shop

SINCE = timedelta(minutes=5)


@asynccontextmanager
async def restored(shop: Shop, settings: Settings, signer: Signer, database: str) -> AsyncIterator[Shop]:
    """Payment on an empty database, as after the worst restore, with the same provider and order."""
    other = msgspec.structs.replace(settings, database_url=database)
    async with running(build(other, settles_within=timedelta(0))) as client:
        shop.peers.payment = client
        shop.peers.told.clear()  # what order hears from now on is of this one
        yield Shop(client, shop.peers, shop.sandbox, signer)


async def adopt(settings: Settings, database_url: str) -> Adopted:
    def now() -> datetime:
        return datetime.now(UTC)

    database = Database(database_url, application="test")
    provider = StripeProvider(settings.stripe_secret_key, base=settings.stripe_url)
    async with database.lifespan(), provider.lifespan():
        return await AdoptionService(PostgresPayments(database, now), provider, provider, now).adopt(
            now() - SINCE
        )


async def test_charges_and_refunds_that_were_lost_come_back_from_the_provider(
    shop: Shop, settings: Settings, signer: Signer, new_postgres_database: NewDatabase
) -> None:
    paid, refund = await shop.captured(), uuid4()
    assert (await shop.refund(paid, 4_000, refund)).status_code == 200
    await shop.until(paid, "captured", refunded=4_000)
    promised = await shop.authorised()
    before = {order: await shop.get(order) for order in (paid, promised)}

    url = new_postgres_database()
    async with restored(shop, settings, signer, url) as after:
        assert set((await adopt(settings, url)).adopted) == {paid, promised}
        for order, was in before.items():
            found = await after.get(order)
            for name in ("state", "authorised", "captured", "refunded"):
                assert found[name] == was[name], name
            assert booked(found) == booked(was)
        assert (await adopt(settings, url)).adopted == ()

        again = await after.refund(paid, 4_000, refund)  # order repeats what it asked for
        assert (again.status_code, again.json()["state"]) == (200, "done"), "it is known under order's id"
        await after.want(promised, "capture")
        await after.until_told(promised, "captured", captured=39_000)
    assert [charge["captured"] for charge in await shop.sandbox.books()] == [39_000, 39_000]


def booked(payment: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Its ledger. A movement that comes back from the provider is booked at another time."""
    return [(entry["provider_id"], entry["account"], entry["amount"]) for entry in payment["ledger"]]


async def test_a_lost_payment_that_is_to_be_collected_opens_no_second_page(
    shop: Shop, settings: Settings, signer: Signer, new_postgres_database: NewDatabase
) -> None:
    """Of a paid order whose payment was lost: nobody may be sent to pay again, and what was paid is found."""
    order = await shop.captured()
    url = new_postgres_database()
    async with restored(shop, settings, signer, url) as after:
        await after.want(order, "capture")
        await after.until_told(order, "captured", captured=39_000)
        assert await adopt(settings, url) == Adopted((), 1)
    assert len(await shop.sandbox.books()) == 1
