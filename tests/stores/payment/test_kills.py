"""kill -9 of the payment service and of the sandbox provider in the middle: charged twice 0, unpaired money 0."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from aiohttp.test_utils import unused_port

from devstack.settings import ROOT
from tests.signing import AUDIENCE, ISSUER, Signer
from tests.stores.payment import world
from tests.stores.payment.world import INTERNAL, INTERNAL_KEY, Peers, wish

ORDERS = int(os.environ.get("PAYMENT_KILL_ORDERS", "12"))
KILLS = int(os.environ.get("PAYMENT_KILLS", "4"))
AMOUNT = 39_000


class Process:
    def __init__(self, module: str, environment: dict[str, str], url: str) -> None:
        self._module = module
        self._environment = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **environment}
        self.url = url
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._module),
            env=self._environment,
            cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            while True:
                assert self._process.returncode is None, f"{self._module} ended"
                with suppress(httpx.HTTPError):
                    if (await client.get(f"{self.url}/health/ready")).status_code == 200:
                        return
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    async with world.peers(Signer()) as made:
        yield made


@pytest.mark.timeout(300)
async def test_whoever_is_killed_no_money_is_lost_or_taken_twice(
    peers: Peers, tmp_path: Path, postgres_url: str
) -> None:
    payment_port, sandbox_port = unused_port(), unused_port()
    payment_url, sandbox_url = f"http://127.0.0.1:{payment_port}", f"http://127.0.0.1:{sandbox_port}"
    payment = Process(
        "services.payment",
        {
            "PAYMENT_PORT": str(payment_port),
            "PAYMENT_DATABASE_URL": postgres_url,
            "AUTH_JWKS_URL": f"{peers.url}/.well-known/jwks.json",
            "TOKEN_ISSUER": ISSUER,
            "TOKEN_AUDIENCE": AUDIENCE,
            "REDIS_URL": "redis://127.0.0.1:9",
            "ORDER_URL": peers.url,
            "INTERNAL_API_KEY": INTERNAL_KEY,
            "STRIPE_URL": sandbox_url,
            "STRIPE_SECRET_KEY": "sk_test_sandbox",
            "STRIPE_WEBHOOK_SECRET": "whsec_development_sandbox",
            "PAYMENT_CHECK_UNFINISHED_EVERY": "2",
        },
        payment_url,
    )
    sandbox = Process(
        "sandbox_provider",
        {
            "SANDBOX_PORT": str(sandbox_port),
            "SANDBOX_BOOKS": tmp_path.as_uri(),
            "SANDBOX_PUBLIC_URL": sandbox_url,
            "GATEWAY_URL": payment_url,
        },
        sandbox_url,
    )
    await asyncio.gather(payment.start(), sandbox.start())
    try:
        orders = [uuid4() for _ in range(ORDERS)]
        async with httpx.AsyncClient(timeout=10) as client:
            shoppers = [
                asyncio.create_task(_order(client, payment_url, order, number % 4))
                for number, order in enumerate(orders)
            ]
            for number in range(KILLS):
                await asyncio.sleep(random.uniform(0.1, 0.6))
                victim = (payment, sandbox)[number % 2]
                await victim.kill()
                await victim.start()
            ends = await asyncio.gather(*shoppers)
            books = (await client.get(f"{sandbox_url}/_control/books")).json()["intents"]
    finally:
        await asyncio.gather(payment.kill(), sandbox.kill())
    for order, end in zip(orders, ends, strict=True):
        charges = [each for each in books if each["metadata"]["order_id"] == str(order)]
        kept = sum(each["captured"] for each in charges) - sum(each["refunded"] for each in charges)
        assert sum(each["captured"] for each in charges) <= AMOUNT, "charged twice"
        assert kept == {"captured": AMOUNT, "part": AMOUNT - 9_000}.get(end, 0), (order, end)
    connection = await asyncpg.connect(postgres_url)
    try:
        assert await connection.fetchval("SELECT sum(amount) FROM ledger_entry") == 0
        with_provider = await connection.fetchval(
            "SELECT sum(amount) FROM ledger_entry WHERE account = 'provider'"
        )
    finally:
        await connection.close()
    assert with_provider == sum(each["captured"] - each["refunded"] for each in books), "unpaired money"


async def _order(client: httpx.AsyncClient, base: str, order: UUID, kind: int) -> str:
    """One order's life, each step repeated until it is answered: 0 pays, 1 is refunded in part, 2 is given up after
    paying, 3 after collecting."""
    url = f"{base}/internal/payments/{order}"
    made = await _put(client, url, wish("authorise", wait=True))
    while True:
        with suppress(httpx.HTTPError):
            answer = await client.post(made["session_url"], data={"card": "4242424242424242"})
            if answer.status_code in {303, 410}:
                break
        await asyncio.sleep(0.1)
    await _until(client, url, state="authorised")
    if kind == 2:
        await _put(client, url, wish("void"))
        await _until(client, url, state="voided")
        return "voided"
    await _put(client, url, wish("capture"))
    await _until(client, url, state="captured")
    if kind == 1:
        await _call(client, "POST", f"{url}/refunds", {"refund_id": str(uuid4()), "amount": 9_000})
        await _until(client, url, state="captured", refunded=9_000, refund_pending=0)
        return "part"
    if kind == 3:
        await _put(client, url, wish("void"))
        await _until(client, url, state="refunded")
        return "refunded"
    return "captured"


async def _put(client: httpx.AsyncClient, url: str, body: dict[str, object]) -> dict[str, str]:
    return await _call(client, "PUT", url, body)


async def _call(client: httpx.AsyncClient, method: str, url: str, body: object) -> dict[str, str]:
    while True:
        with suppress(httpx.HTTPError):
            answer = await client.request(method, url, json=body, headers=INTERNAL)
            if answer.status_code == 200:
                found: dict[str, str] = answer.json()
                return found
            assert answer.status_code == 503, answer.text
        await asyncio.sleep(0.1)


async def _until(client: httpx.AsyncClient, url: str, **wanted: object) -> None:
    async with asyncio.timeout(150):
        while True:
            with suppress(httpx.HTTPError):
                found = (await client.get(url, headers=INTERNAL)).json()
                if all(found.get(name) == value for name, value in wanted.items()):
                    return
            await asyncio.sleep(0.1)
