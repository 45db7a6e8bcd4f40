"""One checkout is one trace: from the guest's cart to the money, over the outbox, past the provider, after a retry."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest

from common.telemetry.spans import ATTRIBUTES, Kind
from tests.collector import Received
from tests.e2e import checkouts
from tests.e2e.checkouts import Product, Shopper
from tests.e2e.local_stack import LocalStack
from tests.e2e.money.plan import GOOD
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

BROWSER = "00f067aa0ba902b7"
"""The span of whoever asks."""

STEPS = [
    ("auth", "POST /api/auth/guest"),
    ("order", "PUT /api/cart/items/{sku}"),
    ("catalog", "POST /internal/quotes"),
    ("order", "POST /api/orders"),
    ("order", "deliver catalog"),
    ("catalog", "PUT /internal/reservations/{order_id}"),
    ("order", "POST /api/orders/{order_id}/payment"),
    ("payment", "PUT /internal/payments/{order_id}"),
    ("payment", "stripe checkout.sessions.create"),
    ("payment", "deliver provider"),
    ("payment", "stripe checkout.sessions.retrieve"),
    ("payment", "deliver order"),
    ("order", "PUT /internal/orders/{order_id}/payment"),
    ("order", "deliver catalog"),
    ("catalog", "PUT /internal/reservations/{order_id}"),
    ("order", "deliver payment"),
    ("payment", "PUT /internal/payments/{order_id}"),
    ("payment", "deliver provider"),
    ("payment", "stripe payment_intents.capture"),
    ("payment", "deliver order"),
    ("order", "PUT /internal/orders/{order_id}/payment"),
    ("order", "deliver mail"),
]
"""What a checkout does, in this order. Between them is more: statements, commands, polls."""


@pytest.fixture
def traced(stack: Stack) -> LocalStack:
    if not isinstance(stack, LocalStack):
        pytest.skip("the collector is a thread of the tests, which containers do not reach")
    return stack


@pytest.fixture
def unsteady(traced: LocalStack) -> Iterator[Callable[[], None]]:
    """Has the provider fail the next time that it is asked how a payment is."""

    def fail() -> None:
        fault = {"kind": "unavailable", "method": "GET", "path": "/v1/checkout/sessions/"}
        httpx.post(f"{traced.sandbox_url}/_control/faults", json=fault).raise_for_status()

    yield fail
    httpx.post(f"{traced.sandbox_url}/_control/reset").raise_for_status()


def bought(
    stack: LocalStack, product: Product, trace: str, before_it_is_paid: Callable[[], None] = lambda: None
) -> None:
    """An order, all calls of which were made in one trace; who only waits for it has others."""
    sent = {"traceparent": f"00-{trace}-{BROWSER}-01"}
    guest = httpx.post(f"{stack.gateway_url}/api/auth/guest", headers=sent, timeout=30)
    token = {"Authorization": f"Bearer {guest.raise_for_status().json()['access_token']}"}
    shopper, waiting = Shopper(stack, token | sent), Shopper(stack, token)
    id_ = str(shopper.place(shopper.put(product)).raise_for_status().json()["id"])
    waiting.becomes(id_, "held")
    page = shopper.page(id_)
    before_it_is_paid()
    assert shopper.card(page, GOOD).status_code == 303
    waiting.becomes(id_, "paid")


def whole(
    stack: LocalStack, trace: str, also: Callable[[list[Received]], bool] = lambda _: True
) -> list[Received]:
    """The trace in the order in which its spans began, once every step of a checkout is there."""
    gateway = {"token-validator", "idempotency", *stack.traced_gateway}

    def complete(found: list[Received]) -> bool:
        return not missing(in_order(found)) and gateway <= {span.service for span in found} and also(found)

    return in_order(stack.collector.until(complete, trace))


def in_order(spans: list[Received]) -> list[Received]:
    return sorted(spans, key=lambda span: span.began)


def missing(spans: list[Received]) -> list[tuple[str, str]]:
    """The steps that are not there, in their order."""
    left = list(STEPS)
    for span in spans:
        if left and (span.service, span.name) == left[0]:
            left.pop(0)
    return left


def orphans(spans: list[Received]) -> list[Received]:
    known = {span.span_id for span in spans} | {BROWSER}
    return [span for span in spans if span.parent_id not in known]


def below(spans: list[Received], parent: Received) -> list[Received]:
    return [span for span in spans if span.parent_id == parent.span_id]


def test_a_checkout_is_one_trace_over_the_outbox_and_the_provider(traced: LocalStack, admin: Tokens) -> None:
    product, trace = checkouts.stocked(traced, admin), uuid.uuid4().hex
    bought(traced, product, trace)
    spans = whole(traced, trace, lambda found: not orphans(found))
    assert orphans(spans) == []

    (placed,) = [span for span in spans if span.name == "POST /api/orders"]
    (handler,) = [span for span in below(spans, placed) if span.kind == Kind.INTERNAL]
    assert str(handler.attributes["code.function.name"]).endswith(".place")
    statements = [
        span for span in below(spans, handler) if span.attributes.get("db.system.name") == "postgresql"
    ]
    assert {"BEGIN", "COMMIT"} < {span.name for span in statements}
    (delivery, *_) = [span for span in below(spans, handler) if span.name == "deliver catalog"]
    assert (delivery.kind, delivery.attributes["gatehouse.outbox.attempt"]) == (Kind.CONSUMER, 1)

    phases = {
        (span.service, span.attributes["kong.phase"]): span
        for span in spans
        if "kong.phase" in span.attributes
    }
    keyed = phases["idempotency", "access"]
    assert [span.name for span in below(spans, keyed)] == ["EVALSHA"]
    if traced.traced_gateway:
        kongs = {span.span_id for span in spans if (span.service, span.kind) == ("kong", Kind.SERVER)}
        assert {span.parent_id for span in phases.values()} <= kongs

    ours = [span for span in spans if span.service != "kong"]
    assert {name for span in ours for name in span.attributes} <= ATTRIBUTES
    heard = [
        span
        for span in traced.collector.spans()
        if span.name == "POST /api/payments/webhooks/{provider}" or span.name == "hear"
    ]
    assert trace in {linked for span in heard for linked, _ in span.links}
    assert trace not in {span.trace_id for span in heard}


def test_a_delivery_that_failed_once_goes_on_in_the_same_trace(
    traced: LocalStack, admin: Tokens, unsteady: Callable[[], None]
) -> None:
    product, trace = checkouts.stocked(traced, admin), uuid.uuid4().hex
    bought(traced, product, trace, unsteady)

    def again(found: list[Received]) -> bool:
        return any(span.attributes.get("gatehouse.outbox.attempt") == 2 for span in found) and not orphans(
            found
        )

    spans = whole(traced, trace, again)
    (second,) = [span for span in spans if span.attributes.get("gatehouse.outbox.attempt") == 2]
    id_ = second.attributes["messaging.message.id"]
    first, then = [
        span
        for span in spans
        if (span.service, span.attributes.get("messaging.message.id")) == ("payment", id_)
    ]
    assert (first.name, first.failed, then.failed) == ("deliver provider", True, False)
    assert first.parent_id == then.parent_id
    calls = [below(spans, span) for span in (first, then)]
    looks = [[span for span in found if span.name == "stripe checkout.sessions.retrieve"] for found in calls]
    assert [[span.failed for span in found] for found in looks] == [[True], [False]]
