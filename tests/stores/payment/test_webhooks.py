"""Webhooks are hints: forged, unsigned, old, doubled, early, late, foreign (commerce hazards 12, 13, 16, 17, 29)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from sandbox_provider.settings import DEVELOPMENT_WEBHOOK_SECRET
from sandbox_provider.webhooks import ENABLED_EVENTS, signature
from services.chassis.postgres import Database
from services.payment.adapters.reports_postgres import PostgresReports
from services.payment.adapters.rounds import FIRST_CHECK
from services.payment.adapters.stripe_webhooks import NEWS
from services.payment.app import build
from services.payment.settings import Settings
from tests.in_process import running
from tests.stores.payment.world import WEBHOOKS, Shop, event


async def send(
    client: httpx.AsyncClient,
    body: bytes,
    *,
    secret: str = DEVELOPMENT_WEBHOOK_SECRET,
    at: float | None = None,
    headers: Any = None,
) -> int:
    signed = {"Stripe-Signature": signature(body, secret, int(time.time() if at is None else at))}
    answer = await client.post(
        WEBHOOKS, content=body, headers={"Content-Type": "application/json", **signed, **(headers or {})}
    )
    return answer.status_code


def about(order: object, **more: Any) -> dict[str, Any]:
    return {"id": "pi_forged", "object": "payment_intent", "metadata": {"order_id": str(order)}, **more}


async def test_hazard_29_unsigned_forged_and_old_ones_are_refused(shop: Shop) -> None:
    body = event(about(uuid4()))
    unsigned = await shop.client.post(WEBHOOKS, content=body)
    assert unsigned.status_code == 400
    assert unsigned.headers["content-type"] == "application/problem+json"
    assert await send(shop.client, body, secret="whsec_of_somebody_else") == 400
    assert await send(shop.client, body, at=time.time() - 301) == 400
    assert await send(shop.client, body, headers={"Stripe-Signature": "t=1,v1=00"}) == 400
    assert await send(shop.client, body, headers={"Stripe-Signature": f"t={'9' * 400},v1=00"}) == 400
    assert await send(shop.client, body) == 200


async def test_hazard_29_a_signature_that_is_not_ascii_is_refused(shop: Shop) -> None:
    body = event(about(uuid4()))
    good = signature(body, DEVELOPMENT_WEBHOOK_SECRET, int(time.time()))
    for sent in (b"t=1,v1=\xe9", f"{good},v1=é".encode(), f"t={int(time.time())},v1=é".encode("latin-1")):
        assert await send(shop.client, body, headers={"Stripe-Signature": sent}) == 400


@pytest.mark.parametrize("text", ["\0", "\ud800", 5, None, ""])
@pytest.mark.parametrize("member", ["id", "type"])
async def test_a_signed_event_that_cannot_be_written_down_is_refused(
    shop: Shop, member: str, text: object
) -> None:
    body = {**json.loads(event(about(uuid4()))), member: text}
    assert await send(shop.client, json.dumps(body).encode()) == 400


@pytest.mark.parametrize("id_", ["\0", "\ud800"])
async def test_a_signed_event_about_what_has_no_such_id_is_refused(shop: Shop, id_: str) -> None:
    for named in ({"id": id_}, {"payment_intent": id_}):
        sent = {**json.loads(event(about(uuid4()))), "data": {"object": {**about(uuid4()), **named}}}
        assert await send(shop.client, json.dumps(sent).encode()) == 400


async def test_hazard_29_the_signature_is_of_the_raw_bytes(shop: Shop) -> None:
    body = event(about(uuid4()))
    signed = {"Stripe-Signature": signature(body, DEVELOPMENT_WEBHOOK_SECRET, int(time.time()))}
    changed = body.replace(b'": "', b'":"')
    assert changed != body
    assert (await shop.client.post(WEBHOOKS, content=changed, headers=signed)).status_code == 400
    assert (await shop.client.post(WEBHOOKS, content=b"\xff" + body, headers=signed)).status_code == 400
    assert (await shop.client.post(WEBHOOKS, content=body, headers=signed)).status_code == 200


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b"", b'{"id": "evt_1", "type": "x", "data": {}}'])
async def test_a_signed_body_of_another_shape_is_refused(shop: Shop, body: bytes) -> None:
    assert await send(shop.client, body) == 400


async def test_another_provider_is_not_known(shop: Shop) -> None:
    assert (await shop.client.post("/api/payments/webhooks/toss", content=b"{}")).status_code == 404


async def test_a_webhook_that_is_too_large_is_not_read(shop: Shop) -> None:
    body = event(about(uuid4(), description="x" * 300_000))
    assert await send(shop.client, body) == 413


async def test_a_signed_lie_is_not_believed(shop: Shop) -> None:
    """Only the provider's own answer counts."""
    order = uuid4()
    await shop.want(order, "authorise", wait=True)
    lie = event(about(order, status="succeeded", amount_received=39_000))
    assert await send(shop.client, lie) == 200
    settled = await shop.want(order, "capture")
    await asyncio.sleep(0)  # the message is in the outbox; the provider is asked by the next round
    assert (settled["captured"], (await shop.until(order, "session_open"))["captured"]) == (0, 0)
    assert (await shop.get(order))["ledger"] == []


async def test_types_that_tell_nothing_new_are_written_down_alone(shop: Shop, settings: Settings) -> None:
    order = uuid4()
    await shop.want(order, "authorise", wait=True)
    await shop.until(order, "session_open")
    await shop.sandbox.control("PUT", "outage", on=True)  # what is asked of the provider waits
    database = Database(settings.database_url, application="test")
    async with database.lifespan():

        async def heard_and_asked(type_: str) -> tuple[int, int]:
            assert await send(shop.client, event(about(order), type_)) == 200
            rows = await database.fetch(
                "SELECT (SELECT count(*) FROM provider_event WHERE order_id = $1) AS heard, "
                "(SELECT count(*) FROM outbox WHERE path = '/payments/' || $1::text "
                "AND convert_from(body, 'UTF8') LIKE '%true%') AS asked",
                order,
            )
            return rows[0]["heard"], rows[0]["asked"]

        assert await heard_and_asked("payment_intent.succeeded") == (1, 0)
        assert await heard_and_asked("checkout.session.completed") == (2, 1)


def test_the_sandbox_sends_what_the_endpoint_of_an_account_has_to_send() -> None:
    assert ENABLED_EVENTS == NEWS


async def test_doubled_a_hundred_times_at_once_it_is_heard_once(shop: Shop) -> None:
    order = await shop.authorised()
    body = event(about(order))
    answers = await asyncio.gather(*(send(shop.client, body) for _ in range(100)))
    assert set(answers) == {200}
    metrics = (await shop.client.get("/metrics")).text
    assert 'payments_webhooks_total{outcome="repeated"} 99.0' in metrics


async def test_hazard_12_a_webhook_before_the_redirect_and_the_redirect_do_the_same(shop: Shop) -> None:
    order = uuid4()
    url = (await shop.want(order, "authorise", wait=True))["session_url"]
    await shop.sandbox.pay(url)
    asked = await asyncio.gather(
        *(shop.want(order, "authorise", wait=True) for _ in range(4)),
        *(send(shop.client, event(about(order))) for _ in range(4)),
    )
    assert asked[4:] == [200] * 4
    await shop.until(order, "authorised")
    await shop.want(order, "capture")
    found = await shop.until(order, "captured")
    assert len(found["ledger"]) == 2
    assert len(await shop.sandbox.books()) == 1


async def test_hazard_13_an_event_of_an_order_that_is_not_known_is_kept(shop: Shop) -> None:
    body = event(about(uuid4()))
    assert await send(shop.client, body) == 200
    assert await send(shop.client, body) == 200


async def test_hazard_16_17_an_event_three_days_late_moves_nothing_back(shop: Shop) -> None:
    order = uuid4()
    first = (await shop.want(order, "authorise", wait=True))["session_url"].rpartition("/")[2]
    await shop.sandbox.pay(f"{shop.sandbox.url}/pay/{first}")
    await shop.until(order, "authorised")
    await shop.want(order, "capture")
    before = await shop.until_told(order, "captured")
    late = event(
        {"id": first, "metadata": {"order_id": str(order)}, "status": "expired"}, "checkout.session.expired"
    )
    assert await send(shop.client, late) == 200
    await shop.sandbox.control("PUT", "webhooks", delay=0)
    assert (await shop.until(order, "captured"))["captured"] == 39_000
    assert shop.peers.told[order][-1] == before


async def test_hazard_18_money_that_comes_after_the_void_is_given_up(shop: Shop) -> None:
    """The shopper pays in the moment in which the order is given up, and the news of it is lost."""
    order = uuid4()
    await shop.sandbox.control("PUT", "webhooks", drop=True)
    url = (await shop.want(order, "authorise", wait=True))["session_url"]
    await shop.sandbox.pay(url)
    await shop.want(order, "void")
    await shop.until_told(order, "voided")
    assert (await shop.sandbox.charge_of(order))["status"] == "canceled"


async def test_hazard_12_a_shopper_who_comes_back_needs_no_webhook(shop: Shop) -> None:
    order = uuid4()
    await shop.sandbox.control("PUT", "webhooks", drop=True)
    url = (await shop.want(order, "authorise", wait=True))["session_url"]
    assert (await shop.want(order, "authorise", wait=True))["session_url"] == url
    await shop.sandbox.pay(url)
    back = await shop.want(order, "authorise", wait=True)
    assert (back["state"], back["session_url"]) == ("authorised", None)
    await shop.until_told(order, "authorised")


async def test_while_the_provider_is_down_who_comes_back_gets_the_page_that_is_known(shop: Shop) -> None:
    order = uuid4()
    url = (await shop.want(order, "authorise", wait=True))["session_url"]
    await shop.sandbox.control("PUT", "outage", on=True)
    assert (await shop.want(order, "authorise", wait=True))["session_url"] == url


async def test_lost_news_are_looked_for_soon_and_then_ever_more_rarely(
    shop: Shop, settings: Settings
) -> None:
    order = uuid4()
    await shop.want(order, "authorise", wait=True)
    database = Database(settings.database_url, application="test")
    async with database.lifespan():
        reports = PostgresReports(database)
        began = datetime.now(UTC)

        async def due(seconds: float) -> bool:
            found = await reports.take_unfinished(
                began + timedelta(seconds=seconds), 10, first=FIRST_CHECK, every=timedelta(seconds=100)
            )
            return order in found

        looks = [seconds for seconds in range(5, 400, 10) if await due(seconds)]
    assert looks == [25, 55, 115, 225, 335]


async def test_doubled_shuffled_and_delayed_webhooks_change_nothing(shop: Shop) -> None:
    await shop.sandbox.control("PUT", "webhooks", delay=0.05, copies=3, shuffle=True)
    orders = [await shop.captured() for _ in range(3)]
    for order in orders:
        assert (await shop.refund(order, 1_000)).status_code == 200
    for order in orders:
        await shop.until(order, "captured", refunded=1_000, refund_pending=0)
    for charge in await shop.sandbox.books():
        assert (charge["captured"], charge["refunded"]) == (39_000, 1_000)


@pytest.fixture
async def rotated(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    changed = {"stripe_webhook_secret": "whsec_next", "stripe_webhook_secret_former": "whsec_former"}
    async with running(build(msgspec.structs.replace(settings, **changed))) as client:
        yield client


async def test_while_it_is_rotated_both_secrets_count(rotated: httpx.AsyncClient) -> None:
    assert await send(rotated, event(about(uuid4())), secret="whsec_next") == 200
    assert await send(rotated, event(about(uuid4())), secret="whsec_former") == 200
    assert await send(rotated, event(about(uuid4())), secret=DEVELOPMENT_WEBHOOK_SECRET) == 400


async def test_hazard_29_without_a_secret_everything_is_refused(settings: Settings) -> None:
    closed = msgspec.structs.replace(settings, stripe_webhook_secret="")
    async with running(build(closed)) as client:
        assert await send(client, event(about(uuid4())), secret="") == 503
        assert await send(client, event(about(uuid4()))) == 503
