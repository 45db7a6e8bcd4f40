"""Catalog, payment and auth as the order service meets them: over HTTP, with the catalog's own rules of stock."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web
from aiohttp.test_utils import TestServer

from services.catalog.domain.reservations import Effect, Goal, Line, State, combined, decide, shortages
from services.catalog.domain.stock import Stock
from tests.signing import Signer


class Server:
    """One stand-in's HTTP side. `down`: answers 503. `slow`: answers are as things were when they were asked for, and
    come when it is set."""

    def __init__(self) -> None:
        self._server: TestServer | None = None
        self.url = ""
        self.down = False
        self.slow: asyncio.Event | None = None
        self.asked: list[tuple[str, str, Any]] = []

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self._server = TestServer(app)
        await self._server.start_server()
        self.url = str(self._server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path, body))
        if self.down:
            return web.json_response({}, status=503)
        status, answer = self.answer(request.method, request.path, body, request.headers)
        if self.slow is not None:
            await self.slow.wait()
        return web.json_response(answer, status=status)

    def answer(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        raise NotImplementedError


class Catalog(Server):
    """Products by SKU at a price, and their stock."""

    def __init__(self) -> None:
        super().__init__()
        self.currency = "KRW"
        self.prices: dict[str, int] = {}
        self.variants: dict[str, UUID] = {}
        self.stock: dict[UUID, Stock] = {}
        self.reservations: dict[UUID, State] = {}
        self.holding = True

    def sell(self, sku: str, price: int, on_hand: int) -> UUID:
        variant = self.variants.setdefault(sku, uuid4())
        self.prices[sku] = price
        self.stock[variant] = Stock(on_hand, 0)
        return variant

    def of(self, sku: str) -> Stock:
        return self.stock[self.variants[sku]]

    def answer(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        if path == "/internal/quotes":
            return 200, self._quote(body["lines"])
        if not self.holding:
            return 503, {}
        order = UUID(path.rpartition("/")[2])
        return 200, self._pursue(order, Goal(body["goal"]), body["lines"])

    def _quote(self, wanted: list[dict[str, Any]]) -> dict[str, Any]:
        lines, unavailable = [], []
        for each in wanted:
            sku, quantity = each["sku"], each["quantity"]
            if sku not in self.prices:
                unavailable.append({"sku": sku, "reason": "unknown", "left": 0})
                continue
            available = self.of(sku).available
            if available <= 0:
                unavailable.append({"sku": sku, "reason": "sold_out", "left": 0})
                continue
            if available < quantity:
                unavailable.append({"sku": sku, "reason": "too_few", "left": available})
            price = self.prices[sku]
            lines.append(
                {
                    "sku": sku,
                    "variant_id": str(self.variants[sku]),
                    "product_id": str(uuid4()),
                    "slug": sku.lower(),
                    "name": {"ko": "신발", "en": "Shoes"},
                    "option_names": {},
                    "image": None,
                    "quantity": quantity,
                    "unit_price": price,
                    "compare_at_price": None,
                    "vat_rate": 1000,
                    "tax": round(price * quantity / 11),
                    "available": available,
                    "availability": "in_stock",
                }
            )
        return {
            "currency": self.currency,
            "lines": lines,
            "unavailable": unavailable,
            "total": sum(line["unit_price"] * line["quantity"] for line in lines),
            "tax": sum(line["tax"] for line in lines),
        }

    def _pursue(self, order: UUID, goal: Goal, wanted: list[dict[str, Any]]) -> dict[str, Any]:
        lines = combined([Line(UUID(each["variant_id"]), each["quantity"]) for each in wanted])
        state, effect = decide(self.reservations.get(order), goal)
        short = shortages(lines, self.stock) if effect in {Effect.RESERVE, Effect.RESERVE_AND_SELL} else []
        if short:
            state, effect = State.SOLD_OUT, Effect.NONE
        on_hand, reserved = {
            Effect.NONE: (0, 0),
            Effect.RESERVE: (0, 1),
            Effect.SELL: (-1, -1),
            Effect.RESERVE_AND_SELL: (-1, 0),
            Effect.FREE: (0, -1),
            Effect.TAKE_BACK: (1, 0),
        }[effect]
        for line in lines:
            now = self.stock.get(line.variant, Stock(0, 0))
            self.stock[line.variant] = Stock(
                now.on_hand + on_hand * line.quantity, now.reserved + reserved * line.quantity
            )
        self.reservations[order] = state
        return {"state": state.value, "short": []}


class Payment(Server):
    """Payments that a test moves on. `capture_at_once`: what was authorised is collected when that is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.payments: dict[UUID, dict[str, Any]] = {}
        self.refuse_refunds = False
        self.refunds: dict[str, str] = {}
        self.refund_state = "done"

    def answer(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        if path.endswith("/refunds"):
            if self.refuse_refunds:
                return 409, {}
            payment, id_ = self.payments[UUID(path.split("/")[3])], body["refund_id"]
            if id_ not in self.refunds:
                self.refunds[id_] = self.refund_state
                payment["refunded"] += body["amount"]
            return 200, {"refund_id": id_, "state": self.refunds[id_], "pending": 0}
        order = UUID(path.rpartition("/")[2])
        payment = self.payments.setdefault(
            order,
            {"state": "new", "session_url": None, "authorised": 0, "captured": 0, "refunded": 0, **body},
        )
        match body["goal"], payment["state"]:
            case "authorise", "new":
                payment |= {"state": "session_open", "session_url": f"https://pay.test/{order}"}
            case "capture", "authorised":
                payment |= {"state": "captured", "captured": payment["amount"]}
            case "void", "captured":
                payment |= {"state": "refunded", "refunded": payment["amount"]}
            case "void", state if state != "refunded":
                payment |= {"state": "voided", "session_url": None}
        return 200, payment

    def authorise(self, order: UUID) -> dict[str, Any]:
        """The shopper pays; the report as payment sends it."""
        payment = self.payments[order]
        payment |= {"state": "authorised", "authorised": payment["amount"], "session_url": None}
        return self.report(order)

    def report(self, order: UUID, **changed: Any) -> dict[str, Any]:
        payment = self.payments[order] | changed
        return {
            "state": payment["state"],
            "authorised": payment["authorised"],
            "captured": payment["captured"],
            "refunded": payment["refunded"],
            "refund_pending": 0,
            "refunds": payment.get("refunds", []),
            "occurred_at": "2026-11-27T03:00:00Z",
        }


class Auth(Server):
    def __init__(self, signer: Signer) -> None:
        super().__init__()
        self._signer = signer
        self.accounts: dict[str, dict[str, Any]] = {}

    async def _answer(self, request: web.Request) -> web.Response:
        if request.path == "/.well-known/jwks.json":
            return web.Response(body=self._signer.jwks(), content_type="application/json")
        if self.down:
            return web.json_response({}, status=503)
        account = self.accounts.get(request.headers.get("Authorization", ""))
        return web.json_response(account or {}, status=200 if account else 401)
