"""What the provider port promises, held by the Stripe adapter with the official client.

Against the sandbox provider always; with STRIPE_API_KEY set to a key of a test account (sk_test_…) against Stripe as
well. A live key is refused. What needs a shopper on the hosted page is made by the API there, with pm_card_visa.
"""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from sandbox_provider.settings import DEVELOPMENT_KEY
from services.payment.adapters.stripe_provider import API, StripeProvider
from services.payment.application.ports import (
    ProviderUnavailable,
    Refused,
    SeenPayment,
    SessionRequest,
)
from services.payment.domain.payments import Session
from tests.stores.payment.world import Sandbox

KEY = os.environ.get("STRIPE_API_KEY", "")
AMOUNT = 39_000


@dataclass
class Conforming:
    """`promised` makes an order's payment whose money is promised, and gives its id."""

    provider: StripeProvider
    promised: Callable[[UUID], Awaitable[str]]

    async def seen(self, id_: str) -> SeenPayment:
        since = datetime.now(UTC) - timedelta(minutes=10)
        async for each in self.provider.payments(since, since + timedelta(hours=1)):
            if each.id == id_:
                return each
        raise AssertionError(f"{id_} is not in the provider's list")


def request(order: UUID, attempt: int = 1) -> SessionRequest:
    return SessionRequest(
        order=order,
        attempt=attempt,
        amount=AMOUNT,
        currency="KRW",
        reference="2026-000001",
        email="minji@example.com",
        lang="ko",
        return_url="https://shop.example/orders/1",
        cancel_url="https://shop.example/checkout",
        expires_at=datetime.fromtimestamp(int(time.time()) + 3600, UTC),
    )


@pytest.fixture(params=["sandbox", "stripe"])
async def subject(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[Conforming]:
    if request.param == "sandbox":
        provider = StripeProvider(DEVELOPMENT_KEY, base=sandbox.url)
        async with provider.lifespan():
            yield Conforming(provider, lambda order: _paid_on_the_page(provider, sandbox, order))
        return
    if not KEY:
        pytest.skip("STRIPE_API_KEY is not set: put a test account's key (sk_test_…) there")
    assert KEY.startswith(("sk_test_", "rk_test_")), "STRIPE_API_KEY is a live key: nothing is sent"
    provider = StripeProvider(KEY, base=API)
    async with provider.lifespan():
        yield Conforming(provider, lambda order: _paid_by_api(provider, order))


async def _paid_on_the_page(provider: StripeProvider, sandbox: Sandbox, order: UUID) -> str:
    made = await provider.create_session(request(order), f"session:{order}")
    assert made.url is not None
    await sandbox.pay(made.url)
    payment = (await provider.get_session(made.id)).payment
    assert payment is not None
    return payment.id


async def _paid_by_api(provider: StripeProvider, order: UUID) -> str:
    sent = {
        "amount": AMOUNT,
        "currency": "krw",
        "capture_method": "manual",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "payment_method_types": ["card"],
        "metadata": {"order_id": str(order)},
    }
    made = await provider._call("payment_intents.create", "post", "/v1/payment_intents", sent)
    return str(made["id"])


async def test_a_page_is_made_found_read_and_closed(subject: Conforming) -> None:
    order, since = uuid4(), datetime.now(UTC) - timedelta(minutes=5)
    made = await subject.provider.create_session(request(order), f"session:{order}")
    assert (made.session, made.payment) == (Session.OPEN, None)
    assert made.url is not None and made.url.startswith("http")
    found = await subject.provider.find_session(order, 1, since)
    assert found is not None and found.id == made.id
    assert await subject.provider.find_session(order, 2, since) is None
    await subject.provider.expire_session(made.id)
    assert (await subject.provider.get_session(made.id)).session is Session.CLOSED
    with pytest.raises(Refused):
        await subject.provider.expire_session(made.id)


@pytest.mark.parametrize("email", ["minji@bücher.example", "민지@example.com", "o'neill+a@example.com", None])
async def test_a_page_is_made_whatever_the_shoppers_address_is(
    subject: Conforming, email: str | None
) -> None:
    asked = replace(request(uuid4()), email=email)
    made = await subject.provider.create_session(asked, f"session:{asked.order}")
    assert made.session is Session.OPEN


async def test_one_key_is_one_page(subject: Conforming) -> None:
    asked = request(uuid4())
    first = await subject.provider.create_session(asked, f"session:{asked.order}")
    again = await subject.provider.create_session(asked, f"session:{asked.order}")
    assert first.id == again.id


async def test_promised_money_is_collected_once(subject: Conforming) -> None:
    order = uuid4()
    id_ = await subject.promised(order)
    promised = await subject.seen(id_)
    assert (promised.order, promised.authorised, promised.captured) == (order, AMOUNT, 0)
    first = await subject.provider.capture(id_, f"cap:{order}")
    again = await subject.provider.capture(id_, f"cap:{order}")
    assert (first.id, first.order, first.captured) == (
        id_,
        order,
        AMOUNT,
    )  # believed without another question
    assert again == first
    assert (await subject.seen(id_)).captured == AMOUNT
    with pytest.raises(Refused):
        await subject.provider.capture(id_, f"cap:{order}:2")
    with pytest.raises(Refused):
        await subject.provider.cancel(id_, f"void:{order}")


async def test_promised_money_is_given_up(subject: Conforming) -> None:
    order = uuid4()
    id_ = await subject.promised(order)
    answered = await subject.provider.cancel(id_, f"void:{order}")
    assert (answered.cancelled, answered.captured) == (True, 0)
    gone = await subject.seen(id_)
    assert (gone.cancelled, gone.authorised, gone.captured) == (True, 0, 0)
    with pytest.raises(Refused):
        await subject.provider.capture(id_, f"cap:{order}")


async def test_money_is_given_back_in_parts_and_never_more_than_there_is(subject: Conforming) -> None:
    order = uuid4()
    id_ = await subject.promised(order)
    first = uuid4()
    with pytest.raises(Refused):
        await subject.provider.refund(id_, first, 1, "KRW", f"refund:{first}:early")
    await subject.provider.capture(id_, f"cap:{order}")
    for _ in range(2):
        await subject.provider.refund(id_, first, 9_000, "KRW", f"refund:{first}")
    assert (await subject.seen(id_)).refunded == 9_000
    second = uuid4()
    with pytest.raises(Refused):
        await subject.provider.refund(id_, second, 30_001, "KRW", f"refund:{second}")
    await subject.provider.refund(id_, second, 30_000, "KRW", f"refund:{second}:2")
    assert (await subject.seen(id_)).refunded == AMOUNT


async def test_what_is_not_there_is_refused(subject: Conforming) -> None:
    with pytest.raises(Refused):
        await subject.provider.get_session("cs_test_nobody")
    with pytest.raises(Refused):
        await subject.provider.capture("pi_nobody", f"cap:{uuid4()}")


async def test_a_wrong_key_is_an_outage_and_no_refusal(sandbox: Sandbox) -> None:
    """Whoever mends it mends all payments at once; none is at fault."""
    provider = StripeProvider("sk_test_wrong", base=sandbox.url)
    async with provider.lifespan():
        with pytest.raises(ProviderUnavailable):
            await provider.get_session("cs_test_1")


async def test_a_page_tells_its_payment_with_refunds(sandbox: Sandbox) -> None:
    provider = StripeProvider(DEVELOPMENT_KEY, base=sandbox.url)
    async with provider.lifespan():
        order, refund = uuid4(), uuid4()
        made = await provider.create_session(request(order), f"session:{order}")
        assert made.url is not None
        await sandbox.pay(made.url)
        paid = (await provider.get_session(made.id)).payment
        assert paid is not None and paid.authorised == AMOUNT
        await provider.capture(paid.id, f"cap:{order}")
        await provider.refund(paid.id, refund, 100, "KRW", f"refund:{refund}")
        seen = (await provider.get_session(made.id)).payment
        assert seen is not None
        assert [(each.ours, each.amount) for each in seen.refunds] == [(refund, 100)]


async def test_no_log_has_what_is_sent_of_a_person(
    subject: Conforming, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        await subject.provider.create_session(request(uuid4()), f"test:{uuid4()}")
        broken = replace(request(uuid4()), expires_at=datetime.now(UTC))
        with pytest.raises(Refused):
            await subject.provider.create_session(broken, f"test:{uuid4()}")
    assert "minji" not in caplog.text
