"""What shoppers, administrators and payment do at the order service, in words."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from httpx import AsyncClient, Response

from tests.signing import Signer
from tests.stores.order.peers import Auth, Catalog, Payment
from tests.waiting import WITHIN

INTERNAL_KEY = "internal-key-for-tests"
ADDRESS = {
    "recipient": "김하늘",
    "phone": "+82 10-1234-5678",
    "line1": "세종대로 110",
    "city": "서울",
    "postal_code": "04524",
    "country": "KR",
}


@dataclass
class Shop:
    api: AsyncClient
    signer: Signer
    auth: Auth
    catalog: Catalog
    payment: Payment
    _sequence: int = field(default=0)

    def member(
        self, id_: UUID | None = None, email: str = "kim@shop.test", confirmed: bool = True
    ) -> dict[str, str]:
        id_ = id_ or uuid4()
        headers = {"Authorization": f"Bearer {self.signer.token(sub=str(id_))}"}
        self.auth.accounts[headers["Authorization"]] = {
            "id": str(id_),
            "email": email,
            "name": "Kim",
            "roles": ["member"],
            "email_verified": confirmed,
            "created_at": "2026-11-27T03:00:00Z",
        }
        return headers

    def guest(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.signer.token(roles=['guest'])}"}

    def admin(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.signer.token(roles=['admin'])}"}

    async def put(self, who: dict[str, str], sku: str, quantity: int) -> dict[str, Any]:
        answer = await self.api.put(f"/api/cart/items/{sku}", json={"quantity": quantity}, headers=who)
        assert answer.status_code == 200, answer.text
        cart: dict[str, Any] = answer.json()
        return cart

    async def place(
        self, who: dict[str, str], cart: dict[str, Any], key: str | None = None, **changed: Any
    ) -> Response:
        body = {
            "cart_version": cart["version"],
            "expected_total": cart["total"],
            "address": ADDRESS,
            "email": "lee@shop.test",
            **changed,
        }
        return await self.api.post(
            "/api/orders", json=body, headers={**who, "Idempotency-Key": key or str(uuid4())}
        )

    async def placed(
        self, who: dict[str, str], sku: str = "SHOE-250", quantity: int = 1, **changed: Any
    ) -> UUID:
        cart = await self.put(who, sku, quantity)
        answer = await self.place(who, cart, **changed)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def order(self, who: dict[str, str], id_: UUID) -> dict[str, Any]:
        answer = await self.api.get(f"/api/orders/{id_}", headers=who)
        assert answer.status_code == 200, answer.text
        order: dict[str, Any] = answer.json()
        return order

    async def becomes(self, who: dict[str, str], id_: UUID, *states: str) -> dict[str, Any]:
        """Waits until the order is in one of the states."""
        deadline = time.monotonic() + WITHIN
        while (order := await self.order(who, id_))["state"] not in states:
            assert time.monotonic() < deadline, f"still {order['state']}, not {states}"
            await asyncio.sleep(0.01)
        return order

    async def pay(self, who: dict[str, str], id_: UUID) -> Response:
        return await self.api.post(f"/api/orders/{id_}/payment", headers=who)

    async def report(self, id_: UUID, body: dict[str, Any], sequence: int | None = None) -> Response:
        self._sequence = sequence or self._sequence + 1
        headers = {"X-Internal-Key": INTERNAL_KEY, "X-Message-Sequence": str(self._sequence)}
        return await self.api.put(f"/internal/orders/{id_}/payment", json=body, headers=headers)

    async def paid(self, who: dict[str, str], sku: str = "SHOE-250", quantity: int = 1) -> UUID:
        """An order that went all the way."""
        id_ = await self.placed(who, sku, quantity)
        await self.becomes(who, id_, "held")
        assert (await self.pay(who, id_)).status_code == 200
        assert (await self.report(id_, self.payment.authorise(id_))).status_code == 204
        await self.becomes(who, id_, "paid")
        await self.report(id_, self.payment.report(id_))
        return id_

    async def events(self, who: dict[str, str], id_: UUID) -> list[str]:
        answer = await self.api.get(f"/api/orders/{id_}/events", headers=who)
        assert answer.status_code == 200, answer.text
        return [event["event"] for event in answer.json()["events"]]
