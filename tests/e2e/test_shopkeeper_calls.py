"""What only administrators may ask for: members and guests are refused, at the gateway and at the service itself."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.e2e import people
from tests.e2e.checkouts import Shopper
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

ID = uuid.UUID(int=7)
CALLS = [
    ("order", "GET", "/api/orders/all"),
    ("order", "POST", f"/api/orders/{ID}/shipments"),
    ("order", "POST", f"/api/orders/{ID}/deliveries"),
    ("order", "POST", f"/api/orders/{ID}/refunds/preview"),
    ("order", "POST", f"/api/orders/{ID}/refunds"),
    ("payment", "GET", "/api/payments"),
    ("payment", "GET", f"/api/payments/{ID}"),
    ("order", "GET", "/api/orders/summary"),
    ("payment", "GET", "/api/payments/reconciliation"),
    ("payment", "POST", "/api/payments/reconciliation"),
    ("payment", "GET", "/api/payments/revenue"),
    ("bff", "GET", "/api/today"),
    ("payment", "POST", f"/api/payments/{ID}/checks"),
    *(
        (service, "GET", f"/api/outbox/{service}")
        for service in ("auth", "catalog", "member", "order", "payment")
    ),
    ("order", "GET", "/api/outbox/order/summary"),
    *(
        (service, "POST", f"/api/outbox/{service}/1/retries")
        for service in ("auth", "catalog", "member", "order", "payment")
    ),
]


@pytest.fixture(scope="module")
def outsiders(stack: Stack) -> dict[str, dict[str, str]]:
    return {"member": Shopper.member(stack).headers, "guest": Shopper(stack).headers}


@pytest.mark.parametrize(("service", "method", "path"), CALLS, ids=[f"{call[1]} {call[2]}" for call in CALLS])
def test_nobody_but_an_administrator_is_answered(
    stack: Stack, outsiders: dict[str, dict[str, str]], service: str, method: str, path: str
) -> None:
    for base in (stack.gateway_url, getattr(stack, f"{service}_url")):
        answers = {
            who: httpx.request(method, base + path, json={} if method == "POST" else None, headers=headers)
            for who, headers in outsiders.items()
        }
        assert {who: answer.status_code for who, answer in answers.items()} == {"member": 403, "guest": 403}
        assert httpx.request(method, base + path).status_code == 401


@pytest.mark.parametrize("service", ["auth", "catalog", "member", "order", "payment"])
def test_every_service_shows_an_administrator_what_it_could_not_deliver(
    stack: Stack, admin: Tokens, service: str
) -> None:
    path = f"{stack.gateway_url}/api/outbox/{service}"
    answer = httpx.get(path, headers=admin.bearer)
    assert answer.status_code == 200 and set(answer.json()) == {"items", "next_cursor"}
    headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
    assert httpx.post(f"{path}/{2**62}/retries", headers=headers).status_code == 404
