"""Keys and effects in one transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextvars import Context
from typing import Any
from uuid import UUID, uuid5

import pytest
from httpx import AsyncClient
from litestar import Request, Response, delete, post

from services.chassis.app import create_app
from services.chassis.errors import Conflict
from services.chassis.idempotency import Idempotency, Records, idempotent, records
from services.chassis.idempotency.refusals import KeyReused
from services.chassis.identity import Identity
from services.chassis.postgres import Database
from tests.in_process import running
from tests.waiting import until

NAMESPACE = UUID(int=0)


class Tokens:
    async def authenticate(self, token: str) -> Identity:
        return Identity(uuid5(NAMESPACE, token), UUID(int=1), frozenset(), 2e9, token)


class Service:
    """One mutating handler, whose steps a test may hold or fail."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.records = Records(database, ttl=3600)
        self.calls = 0
        self.fail: Exception | None = None
        self.hold = asyncio.Event()
        self.hold.set()

    async def effect(self, name: str) -> int:
        self.calls += 1
        call = self.calls
        async with self.database.transaction() as connection:
            await connection.execute("INSERT INTO effect VALUES ($1)", name)
        await self.hold.wait()
        if self.fail:
            raise self.fail
        return call

    async def effects(self) -> int:
        async with self.database.transaction() as connection:
            found: int = await connection.fetchval("SELECT count(*) FROM effect")
        return found


@pytest.fixture
def service(database: Database) -> Service:
    return Service(database)


@pytest.fixture
async def api(service: Service) -> AsyncIterator[AsyncClient]:
    @post("/effects/{name:str}", status_code=201)
    @idempotent
    async def make(request: Request[Any, Any, Any]) -> Response[dict[str, int]]:
        call = await service.effect(request.path_params["name"])
        return Response({"call": call}, status_code=201, headers={"Location": "/effects/1", "ETag": '"1"'})

    @delete("/effects/{name:str}", status_code=204)
    @idempotent
    async def remove(request: Request[Any, Any, Any]) -> Response[None]:
        await service.effect("removed")
        return Response(None, status_code=204)

    app = create_app(
        title="Test",
        handlers=[make, remove],
        authenticator=Tokens(),
        state={"idempotency": Idempotency(service.records)},
    )
    async with running(app) as client:
        client.headers["Authorization"] = "Bearer somebody"
        yield client


def keyed(key: str, **more: str) -> dict[str, str]:
    return {"Idempotency-Key": key, **more}


async def test_without_a_key_every_request_takes_effect(api: AsyncClient, service: Service) -> None:
    for _ in range(2):
        assert (await api.post("/effects/a")).status_code == 201
    assert await service.effects() == 2


async def test_a_repeat_gets_the_first_answer_whole(api: AsyncClient, service: Service) -> None:
    first = await api.post("/effects/a", headers=keyed("k"))
    second = await api.post("/effects/a", headers={"X-Idempotency-Key": '"k"'})
    assert (second.status_code, second.content) == (201, first.content)
    for name in ("Location", "ETag", "Content-Type"):
        assert second.headers[name] == first.headers[name]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (service.calls, await service.effects()) == (1, 1)


async def test_an_empty_answer_is_repeated_as_well(api: AsyncClient, service: Service) -> None:
    for _ in range(2):
        answer = await api.delete("/effects/a", headers=keyed("k"))
        assert (answer.status_code, answer.content) == (204, b"")
    assert service.calls == 1


async def test_fifty_at_once_take_effect_once(api: AsyncClient, service: Service) -> None:
    answers = await asyncio.gather(*(api.post("/effects/a", headers=keyed("k")) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await service.effects() == 1


async def test_another_request_with_the_key_is_refused(api: AsyncClient, service: Service) -> None:
    await api.post("/effects/a", headers=keyed("k"))
    for answer in (
        await api.post("/effects/a?x=1", headers=keyed("k")),
        await api.post("/effects/a", headers=keyed("k"), content=b"other"),
    ):
        assert answer.status_code == 422
        assert answer.json()["retryable"] is False
        assert answer.json()["type"] == "/problems/idempotency-key-reused"
    assert await service.effects() == 1


async def test_callers_methods_and_paths_do_not_share_keys(api: AsyncClient, service: Service) -> None:
    await api.post("/effects/a", headers=keyed("k"))
    await api.post("/effects/a", headers=keyed("k", Authorization="Bearer another"))
    await api.post("/effects/b", headers=keyed("k"))
    await api.delete("/effects/a", headers=keyed("k"))
    assert await service.effects() == 4


@pytest.mark.parametrize("fault", [Conflict("refused"), RuntimeError("crashed")])
async def test_a_request_that_fails_has_no_effect_and_frees_its_key(
    api: AsyncClient, service: Service, fault: Exception
) -> None:
    service.fail = fault
    assert (await api.post("/effects/a", headers=keyed("k"))).status_code >= 400
    assert await service.effects() == 0
    service.fail = None
    assert (await api.post("/effects/a", headers=keyed("k"))).status_code == 201
    assert await service.effects() == 1


async def test_a_duplicate_of_a_request_that_takes_long_is_told_to_come_back(
    api: AsyncClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "WAIT_MS", 100)
    service.hold.clear()
    first = asyncio.create_task(api.post("/effects/a", headers=keyed("k")))
    while not service.calls:
        await asyncio.sleep(0.01)
    second = await api.post("/effects/a", headers=keyed("k"))
    assert second.status_code == 409
    assert second.headers["Retry-After"] == "1"
    assert second.json()["retryable"] is True
    assert second.json()["type"] == "/problems/idempotency-in-progress"
    service.hold.set()
    assert (await first).status_code == 201
    assert (await api.post("/effects/a", headers=keyed("k"))).headers["Idempotent-Replayed"] == "true"
    assert await service.effects() == 1


async def test_the_duplicate_of_a_request_that_dies_takes_its_place(
    api: AsyncClient, service: Service
) -> None:
    """A process killed before its commit: its connection closes, and with it go effect and reservation."""
    service.hold.clear()
    first = asyncio.create_task(api.post("/effects/a", headers=keyed("k")))
    while not service.calls:
        await asyncio.sleep(0.01)
    second = asyncio.create_task(api.post("/effects/a", headers=keyed("k")))
    await until(lambda: somebody_waits(service.database))
    async with service.database.transaction() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND state = 'idle in transaction'"
        )
    service.hold.set()
    assert (await first).status_code == 503
    assert (await second).status_code == 201
    assert await service.effects() == 1


async def somebody_waits(database: Database) -> bool:
    """For a lock, in PostgreSQL."""
    waiting = await database.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(waiting)


async def test_a_malformed_key_is_refused_before_any_effect(api: AsyncClient, service: Service) -> None:
    for key in ("a,b", "", "x" * 256, '"open'):
        refused = await api.post("/effects/a", headers=keyed(key))
        assert refused.status_code == 400
        assert refused.json()["type"] == "/problems/idempotency-key-malformed"
    assert service.calls == 0


async def test_an_expired_key_is_free_again(api: AsyncClient, service: Service) -> None:
    await api.post("/effects/a", headers=keyed("k"))
    async with service.database.transaction() as connection:
        await connection.execute("UPDATE idempotency SET expires_at = clock_timestamp() - interval '1 s'")
    answer = await api.post("/effects/a", headers=keyed("k"))
    assert answer.json() == {"call": 2}
    assert (await api.post("/effects/a", headers=keyed("k"))).json() == {"call": 2}


async def test_expired_keys_are_swept_in_batches_and_others_kept(api: AsyncClient, service: Service) -> None:
    for number in range(5):
        await api.post("/effects/a", headers=keyed(f"old-{number}"))
    async with service.database.transaction() as connection:
        await connection.execute("UPDATE idempotency SET expires_at = clock_timestamp() - interval '1 s'")
    await api.post("/effects/a", headers=keyed("new"))
    assert [await service.records.sweep(3) for _ in range(3)] == [3, 2, 0]
    assert (await api.post("/effects/a", headers=keyed("new"))).headers["Idempotent-Replayed"] == "true"


async def test_what_a_key_was_answered_can_be_looked_up_before_anything_is_done(
    api: AsyncClient, service: Service
) -> None:
    scope, print_ = "somebody POST /effects/a", b"print"
    assert await service.records.outcome(scope, "k", print_) is None
    async with service.records.reserve(scope, "k", print_) as reservation:
        # Of one that is under way nothing is known yet, and nobody waits for it.
        elsewhere = asyncio.create_task(service.records.outcome(scope, "k", print_), context=Context())
        assert await elsewhere is None
        await reservation.complete(records.Outcome(201, {}, b"{}"))
    assert await service.records.outcome(scope, "k", print_) == records.Outcome(201, {}, b"{}")
    with pytest.raises(KeyReused):
        await service.records.outcome(scope, "k", b"another print")
