"""docs/failure-modes.md, member's table, line by line, on a database that really goes away."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import msgspec
import pytest
from httpx import AsyncClient, Response

from common.redis_link import RedisLink
from services.member.app import build
from services.member.settings import Settings
from tests import revocations
from tests.documented_failures import rows
from tests.in_process import running
from tests.signing import Signer
from tests.stores.member.conftest import INTERNAL_KEY, AuthStandIn
from tests.stores.own_postgres import OwnPostgres
from tests.stores.own_postgres import own_postgres as running_postgres
from tests.stores.own_redis import OwnRedis
from tests.waiting import WITHIN, until

DATABASE_DOWN = [row[1:] for row in rows("member") if row[0] == "database down"]
BODIES = {
    "POST": {"email": "while-down@example.com", "name": "While Down"},
    "PUT": {"email": "ordered@example.com", "name": "Ordered"},
}


def test_no_line_is_without_a_proof() -> None:
    assert {row[0] for row in rows("member")} == {
        "database down",
        "database restarted under load",
        "auth down",
        "auth down, keys known",
        "auth down, keys never fetched",
        "session ended",
        "Redis down",
    }


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    with running_postgres("member") as own:
        yield own


@pytest.fixture
async def mortal(settings: Settings, own_postgres: OwnPostgres) -> AsyncIterator[AsyncClient]:
    """The API on a database that a test may stop and start."""
    url = own_postgres.server.url("member")
    async with running(build(msgspec.structs.replace(settings, database_url=url))) as client:
        yield client
        await asyncio.to_thread(own_postgres.start)


@pytest.mark.timeout(180)
async def test_the_documented_answers_while_the_database_is_down(
    mortal: AsyncClient, own_postgres: OwnPostgres, signer: Signer
) -> None:
    id_ = str(uuid4())
    admin = {"Authorization": f"Bearer {signer.token(sub=id_, roles=['admin'])}", "Idempotency-Key": "k"}
    internal = {"X-Internal-Key": INTERNAL_KEY}

    async def send(call: str) -> tuple[int, str]:
        method, path = call.split(" ", 1)
        answer = await mortal.request(
            method,
            path.replace("{id}", id_),
            json=BODIES.get(method),
            headers=internal if "internal" in path else admin,
        )
        if answer.status_code == 503 and "health" not in path:
            assert answer.headers["Retry-After"] == "1"
            assert answer.json()["retryable"] is True
        return answer.status_code, answer.text

    assert (await send("PUT /internal/members/{id}"))[0] == 201
    await asyncio.to_thread(own_postgres.stop)
    for call, expected, _ in DATABASE_DOWN:
        status, text = await send(call)
        documented, _, detail = expected.partition(", ")
        assert status == int(documented), (call, text)
        assert detail.replace(": ", '":"') in text
    await asyncio.to_thread(own_postgres.start)
    async with asyncio.timeout(WITHIN):
        while (await send("GET /health/ready"))[0] != 200:
            await asyncio.sleep(0.1)
    afterwards = {call: (await send(call))[0] for call, _, _ in DATABASE_DOWN}
    assert afterwards["POST /api/members"] == 201
    assert {status for call, status in afterwards.items() if not call.startswith("POST")} == {200}
    _, listed = await send("GET /api/members")
    assert listed.count("while-down@example.com") == 1


@pytest.mark.timeout(180)
async def test_a_database_restarted_under_load_keeps_every_promise(
    mortal: AsyncClient, own_postgres: OwnPostgres, signer: Signer
) -> None:
    admin = {"Authorization": f"Bearer {signer.token(roles=['admin'])}"}
    answered: dict[str, set[int]] = {}
    stop = asyncio.Event()

    async def client(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            email = f"load-{number}-{count}@example.com"
            for _ in range(2):
                answer = await mortal.post(
                    "/api/members",
                    json={"email": email, "name": "L"},
                    headers={**admin, "Idempotency-Key": email},
                )
                answered.setdefault(email, set()).add(answer.status_code)

    def made() -> int:
        return sum(201 in statuses for statuses in answered.values())

    clients = [asyncio.create_task(client(number)) for number in range(4)]
    await until(lambda: made() > 20)
    await asyncio.to_thread(own_postgres.stop)
    await until(lambda: any(503 in statuses for statuses in answered.values()))
    await asyncio.to_thread(own_postgres.start)
    before = made()
    await until(lambda: made() > before + 20)
    stop.set()
    await asyncio.gather(*clients)
    assert set().union(*answered.values()) == {201, 503}
    rows_of: dict[str, int] = {}
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "100", "sort": "email", **({"cursor": cursor} if cursor else {})}
        page = (await mortal.get("/api/members", params=query, headers=admin)).json()
        for item in page["items"]:
            rows_of[item["email"]] = rows_of.get(item["email"], 0) + 1
        cursor = page["next_cursor"]
    assert all(count == 1 for count in rows_of.values())
    assert {email for email, statuses in answered.items() if 201 in statuses} <= rows_of.keys()


async def test_known_keys_outlive_auth(api: AsyncClient, auth: AuthStandIn, signer: Signer) -> None:
    id_ = uuid4()
    body = {"email": "a@example.com", "name": "A"}
    await api.put(f"/internal/members/{id_}", json=body, headers={"X-Internal-Key": INTERNAL_KEY})
    bearer = {"Authorization": f"Bearer {signer.token(sub=str(id_))}"}
    assert (await api.get("/api/members/me", headers=bearer)).status_code == 200
    await auth.go_down()
    another = {"Authorization": f"Bearer {signer.token(sub=str(id_))}"}
    assert (await api.get("/api/members/me", headers=another)).status_code == 200
    deleted = await api.delete(f"/api/members/{id_}", headers={**another, "If-Match": "*"})
    assert deleted.status_code == 204
    await auth.come_back()
    async with asyncio.timeout(WITHIN):
        while not auth.messages:
            await asyncio.sleep(0.05)
    assert auth.messages[0][0] == f"/internal/accounts/{id_}/status"


async def test_without_any_key_tokens_cannot_be_judged_until_auth_is_there(
    settings: Settings, auth: AuthStandIn, admin: dict[str, str]
) -> None:
    await auth.go_down()
    async with running(build(settings)) as api:
        answer = await api.get("/api/members", headers=admin)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        await auth.come_back()
        async with asyncio.timeout(WITHIN):
            while (await api.get("/api/members", headers=admin)).status_code != 200:
                await asyncio.sleep(0.1)


async def answers_with(api: AsyncClient, status: int, path: str, headers: dict[str, str]) -> Response:
    """The first answer that has the status."""
    async with asyncio.timeout(WITHIN):
        while (answer := await api.get(path, headers=headers)).status_code != status:
            await asyncio.sleep(0.005)
    return answer


async def test_a_session_is_refused_from_its_end_on_without_a_question_to_auth(
    api: AsyncClient, auth: AuthStandIn, signer: Signer, revocations_url: str, admin: dict[str, str]
) -> None:
    session = str(uuid4())
    bearer = {"Authorization": f"Bearer {signer.token(sid=session, roles=['admin'])}"}
    assert (await api.get("/api/members", headers=bearer)).status_code == 200
    await auth.go_down()
    async with RedisLink(revocations_url, 5.0) as link:
        await revocations.end(link, session, time.time() + 600)
    refused = await answers_with(api, 401, "/api/members/me", bearer)
    assert refused.json()["detail"] == "The session has been ended."
    assert (await api.get("/api/members", headers=admin)).status_code == 200


async def test_without_redis_nobody_is_let_in_and_other_services_still_are(
    settings: Settings, signer: Signer, own_redis: OwnRedis
) -> None:
    async with RedisLink(own_redis.url, 5.0) as link:
        await revocations.mark_whole(link)
    id_ = uuid4()
    path, body = f"/internal/members/{id_}", {"email": "a@example.com", "name": "A"}
    internal = {"X-Internal-Key": INTERNAL_KEY}
    bearer = {"Authorization": f"Bearer {signer.token(sub=str(id_))}"}
    async with running(build(msgspec.structs.replace(settings, redis_url=own_redis.url))) as api:
        await answers_with(api, 404, "/api/members/me", bearer)
        own_redis.kill()
        refused = await answers_with(api, 503, "/api/members/me", bearer)
        assert (refused.headers["Retry-After"], refused.json()["retryable"]) == ("1", True)
        assert (await api.get("/health/ready")).status_code == 200
        assert (await api.put(path, json=body, headers=internal)).status_code == 201
        # It comes back with nothing that it knew: believed again once auth has rebuilt it.
        own_redis.start()
        assert (await api.get("/api/members/me", headers=bearer)).status_code == 503
        async with RedisLink(own_redis.url, 5.0) as link:
            await revocations.mark_whole(link)
        await answers_with(api, 200, "/api/members/me", bearer)
        assert (await api.put(path, json=body, headers=internal)).status_code == 200
