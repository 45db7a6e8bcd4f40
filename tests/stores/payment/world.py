"""Payment's surroundings in a test, on real ports: the sandbox provider, order's internal address, auth's keys."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from sandbox_provider import settings as sandbox_settings
from sandbox_provider.app import build as build_sandbox
from services.payment.settings import Settings
from tests.signing import AUDIENCE, ISSUER, Signer
from tests.waiting import WITHIN

INTERNAL_KEY = "internal-key-for-tests"
INTERNAL = {"X-Internal-Key": INTERNAL_KEY}
GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
AUTHENTICATED_CARD = "4000 0025 0000 3155"
WEBHOOKS = "/api/payments/webhooks/stripe"


class Peers:
    """Order's side of the contract, auth's keys, and the door through which webhooks come in."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._server: TestServer | None = None
        self.url = ""
        self.told: dict[UUID, list[dict[str, Any]]] = {}
        self.status = 200
        self.payment: httpx.AsyncClient | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/.well-known/jwks.json", self._jwks)
        app.router.add_put("/internal/orders/{order}/payment", self._order)
        app.router.add_post(WEBHOOKS, self._webhook)
        self._server = TestServer(app)
        await self._server.start_server()
        self.url = str(self._server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.Response(body=self._signer.jwks(), content_type="application/json")

    async def _order(self, request: web.Request) -> web.Response:
        assert request.headers["X-Internal-Key"] == INTERNAL_KEY
        assert int(request.headers["X-Message-Sequence"]) > 0
        if self.status == 200:
            self.told.setdefault(UUID(request.match_info["order"]), []).append(await request.json())
        return web.Response(status=self.status)

    async def _webhook(self, request: web.Request) -> web.Response:
        if self.payment is None:
            return web.Response(status=503)
        answer = await self.payment.post(
            WEBHOOKS, content=await request.read(), headers=_only(request.headers)
        )
        return web.Response(status=answer.status_code, body=answer.content)


def _only(headers: Any) -> dict[str, str]:
    return {name: headers[name] for name in ("Stripe-Signature", "Content-Type") if name in headers}


class Sandbox:
    """The provider in this process, on a port of its own."""

    def __init__(self, folder: Path, gateway_url: str) -> None:
        self.port = unused_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            "SANDBOX_PORT": str(self.port),
            "SANDBOX_BOOKS": folder.as_uri(),
            "SANDBOX_PUBLIC_URL": self.url,
            "GATEWAY_URL": gateway_url,
        }
        self._server: TestServer | None = None
        self.browser = httpx.AsyncClient(timeout=10)

    async def start(self) -> None:
        app = build_sandbox(sandbox_settings.read(self._environment))
        self._server = TestServer(app, port=self.port)
        await self._server.start_server()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()
        await self.browser.aclose()

    async def control(self, method: str, path: str, **sent: Any) -> Any:
        answer = await self.browser.request(method, f"{self.url}/_control/{path}", json=sent)
        answer.raise_for_status()
        return answer.json()

    async def fault(self, kind: str, path: str, *, method: str = "POST", times: int = 1) -> None:
        sent = {"kind": kind, "path": path, "method": method, "times": times}
        (await self.browser.post(f"{self.url}/_control/faults", json=sent)).raise_for_status()

    async def books(self) -> list[dict[str, Any]]:
        """Every charge."""
        found: list[dict[str, Any]] = (await self.control("GET", "books"))["intents"]
        return found

    async def charge_of(self, order: UUID) -> dict[str, Any]:
        (found,) = [each for each in await self.books() if each["metadata"]["order_id"] == str(order)]
        return found

    async def pay(self, session_url: str, card: str = GOOD_CARD) -> httpx.Response:
        return await self.browser.post(session_url, data={"card": card})


class Shop:
    """The payment service, as order and people use it."""

    def __init__(self, client: httpx.AsyncClient, peers: Peers, sandbox: Sandbox, signer: Signer) -> None:
        self.client = client
        self.peers = peers
        self.sandbox = sandbox
        self._signer = signer

    async def want(
        self, order: UUID, goal: str, *, status: int = 200, sequence: int | None = None, **changed: Any
    ) -> Any:
        headers = INTERNAL | ({} if sequence is None else {"X-Message-Sequence": str(sequence)})
        answer = await self.client.put(
            f"/internal/payments/{order}", json=wish(goal, **changed), headers=headers
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    async def refund(self, order: UUID, amount: int, id_: UUID | None = None) -> httpx.Response:
        return await self.client.post(
            f"/internal/payments/{order}/refunds",
            json={"refund_id": str(id_ or uuid4()), "amount": amount, "reason": "returned"},
            headers=INTERNAL,
        )

    async def get(self, order: UUID) -> Any:
        answer = await self.client.get(f"/internal/payments/{order}", headers=INTERNAL)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def until(self, order: UUID, state: str, **more: Any) -> Any:
        """The payment, once it is so."""
        async with asyncio.timeout(WITHIN):
            while True:
                found = await self.get(order)
                if found["state"] == state and all(found[name] == value for name, value in more.items()):
                    return found
                await asyncio.sleep(0.03)

    async def until_told(self, order: UUID, state: str, **more: Any) -> Any:
        """What order heard last, once it is so."""
        async with asyncio.timeout(WITHIN):
            while True:
                last = (self.peers.told.get(order) or [{}])[-1]
                if last.get("state") == state and all(last[name] == value for name, value in more.items()):
                    return last
                await asyncio.sleep(0.03)

    async def authorised(self, amount: int = 39_000, **changed: Any) -> UUID:
        """An order whose shopper has paid on the page."""
        order = uuid4()
        made = await self.want(order, "authorise", wait=True, amount=amount, **changed)
        assert (await self.sandbox.pay(made["session_url"])).status_code == 303
        await self.until(order, "authorised")
        return order

    async def captured(self, amount: int = 39_000, **changed: Any) -> UUID:
        order = await self.authorised(amount, **changed)
        await self.want(order, "capture", amount=amount, **changed)
        await self.until(order, "captured")
        return order

    def admin(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._signer.token(roles=['admin'])}"}

    def member(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._signer.token(roles=['member'])}"}


def wish(goal: str, **changed: Any) -> dict[str, Any]:
    return {
        "amount": 39_000,
        "currency": "KRW",
        "goal": goal,
        "reference": "2026-000001",
        "lang": "en",
        "return_url": "https://shop.test/orders/1",
        "cancel_url": "https://shop.test/checkout",
        **changed,
    }


def settings_for(
    peers: Peers, sandbox: Sandbox, database_url: str, redis_url: str, **changed: Any
) -> Settings:
    return Settings(
        **{
            "database_url": database_url,
            "auth_jwks_url": f"{peers.url}/.well-known/jwks.json",
            "redis_url": redis_url,
            "token_issuer": ISSUER,
            "token_audience": AUDIENCE,
            "order_url": peers.url,
            "internal_api_key": INTERNAL_KEY,
            "stripe_secret_key": sandbox_settings.DEVELOPMENT_KEY,
            "stripe_webhook_secret": sandbox_settings.DEVELOPMENT_WEBHOOK_SECRET,
            "stripe_url": sandbox.url,
            "check_unfinished_every": 3600.0,
            **changed,
        }
    )


def event(about: dict[str, Any], type_: str = "checkout.session.completed", id_: str = "") -> bytes:
    """A webhook's body."""
    return json.dumps(
        {"id": id_ or f"evt_{uuid4().hex}", "object": "event", "type": type_, "data": {"object": about}}
    ).encode()


@asynccontextmanager
async def peers(signer: Signer) -> AsyncIterator[Peers]:
    made = Peers(signer)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


NewDatabase = Callable[[], str]
