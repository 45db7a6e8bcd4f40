"""Two replicas of each service behind the gateway: whichever answers, the answer is the same, and one may die."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.contract.processes import Service, free_port
from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

PATIENCE_S = 60
PASSWORD = "correct-horse-battery"


@pytest.fixture
async def seconds(stack: Stack, tmp_path: Path) -> AsyncIterator[dict[str, Service]]:
    """A second replica of each service; the gateway balances over both."""
    template = stack.template
    if template is None:
        pytest.skip("this stack reads the checkout's own kong.yml.template; test_containers.py scales there")
    before = template.read_text()
    ports = {name: free_port() for name in ("auth", "member", "bff")}
    urls = {f"{name.upper()}_URL": f"http://127.0.0.1:{ports[name]}" for name in ("auth", "member")}
    replicas = {
        name: Service(name, port, {**_environment(stack, name), **urls}, tmp_path)
        for name, port in ports.items()
    }
    try:
        for replica in replicas.values():
            await replica.start()
        template.write_text(_balanced(before, stack, ports))
        await asyncio.to_thread(stack.restart, "kong")
        yield replicas
    finally:
        template.write_text(before)
        await asyncio.to_thread(stack.restart, "kong")
        await asyncio.gather(*(replica.stop() for replica in replicas.values()))


def _environment(stack: Stack, name: str) -> dict[str, str]:
    """What the replica that devstack runs was started with."""
    for process in map(psutil.Process, stack.process_ids()):
        if process.cmdline()[-1] == f"services.{name}":
            return process.environ()
    raise AssertionError(f"{name} is not running")


def _balanced(template: str, stack: Stack, ports: dict[str, int]) -> str:
    """Each service by an upstream's name, whose targets are both replicas: here there is no DNS that has both."""
    upstreams = ["upstreams:"]
    for name, port in ports.items():
        first = httpx.URL(getattr(stack, f"{name}_url")).netloc.decode()
        both = f'[{{target: "{first}"}}, {{target: "127.0.0.1:{port}"}}]'
        upstreams.append(f"  - {{name: {name}-replicas, targets: {both}}}")
        url = f'url: "${{{name.upper()}_URL}}"'
        assert url in template
        template = template.replace(url, f"url: http://{name}-replicas")
    return template + "\n" + "\n".join(upstreams) + "\n"


class Caller:
    """One account's calls through the gateway."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient, bearer: dict[str, str]) -> None:
        self._base = stack.gateway_url
        self._client = client
        self._bearer = bearer

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.request(
            method, self._base + path, json=body, headers={**self._bearer, **named}
        )

    async def until(self, path: str, status: int) -> httpx.Response:
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await self("GET", path)).status_code != status:
                await asyncio.sleep(0.05)
        return answer


@pytest.mark.timeout(400)
async def test_replicas_are_one_service_to_whoever_calls(
    stack: Stack, admin: Tokens, seconds: dict[str, Service]
) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        as_admin = Caller(stack, client, admin.bearer)
        await _one_key_takes_effect_once(as_admin)
        await _a_person_meets_one_service(stack, client, as_admin)
        for replica in seconds.values():
            assert await _answered(client, replica.url) > 0, f"{replica.name} had no part in it"

        await asyncio.gather(*(replica.stop(signal.SIGKILL) for replica in seconds.values()))
        for _ in range(10):
            assert (await as_admin("GET", "/api/home")).status_code == 200
            made = await as_admin(
                "POST", "/api/members", people.new_member(), Idempotency_Key=people.new_key()
            )
            assert made.status_code == 201


async def _one_key_takes_effect_once(as_admin: Caller) -> None:
    body, key = people.new_member(), people.new_key()
    answers = await asyncio.gather(
        *(as_admin("POST", "/api/members", body, Idempotency_Key=key) for _ in range(20))
    )
    # The gateway tells those that come while the first is under way to come back.
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert (await as_admin("POST", "/api/members", body, Idempotency_Key=people.new_key())).status_code == 409


async def _a_person_meets_one_service(stack: Stack, client: httpx.AsyncClient, as_admin: Caller) -> None:
    """Registers, is made a member, gets what both services hold changed, and is gone from both."""
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD, "name": "Somebody New"}
    registered = await Caller(stack, client, {})("POST", "/api/auth/register", account)
    assert registered.status_code == 201
    call = Caller(stack, client, people.sign_in(stack, account["email"], PASSWORD).bearer)
    member = (await call.until("/api/members/me", 200)).json()
    path = f"/api/members/{member['id']}"

    version = member["version"]
    for step in range(6):
        changed = await call("PATCH", path, {"name": f"Name {step}"}, If_Match=f'"{version}"')
        assert (changed.status_code, changed.json()["version"]) == (200, version + 1)
        version += 1
        assert (await call("GET", path)).json()["name"] == f"Name {step}"
        home = (await call("GET", "/api/home")).json()
        assert (home["degraded"], home["member"]["name"]) == ([], f"Name {step}")

    newer = f"newer-{account['email']}"
    change = {"email": newer, "current_password": people.ADMIN[1]}
    for _ in range(2):
        moved = await as_admin(
            "PUT", f"/api/auth/accounts/{member['id']}/email", change, Idempotency_Key=f"move-{member['id']}"
        )
        assert moved.status_code == 204, moved.text
    async with asyncio.timeout(PATIENCE_S):
        while (await call("GET", "/api/members/me")).json()["email"] != newer:
            await asyncio.sleep(0.05)

    assert (await call("DELETE", path, If_Match="*")).status_code == 204
    await call.until("/api/auth/me", 401)


async def _answered(client: httpx.AsyncClient, url: str) -> float:
    """How many requests under /api the replica has answered."""
    exposed = (await client.get(f"{url}/metrics")).text.splitlines()
    counts = [line for line in exposed if line.startswith("http_requests_total{") and 'route="/api/' in line]
    return sum(float(line.rpartition(" ")[2]) for line in counts)
