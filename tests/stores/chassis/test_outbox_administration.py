"""What could not be delivered is seen and tried again by administrators, once for each key, and on record."""

import asyncio
import logging
from collections.abc import AsyncIterator
from uuid import UUID, uuid5

import pytest
from httpx import AsyncClient
from prometheus_client import CollectorRegistry

from services.chassis.app import create_app
from services.chassis.idempotency import Idempotency, Records
from services.chassis.identity import Identity
from services.chassis.outbox import store
from services.chassis.outbox.administration import administration
from services.chassis.postgres import Database
from tests.in_process import running
from tests.query_plans import scanned, settle
from tests.stores.chassis.messages import put, waiting

PATH = "/api/outbox/order"
BOSS = {"Authorization": "Bearer admin"}


class Tokens:
    """The token's text is the role."""

    async def authenticate(self, token: str) -> Identity:
        return Identity(uuid5(UUID(int=0), token), UUID(int=1), frozenset([token]), 2e9, token)


@pytest.fixture
async def api(database: Database) -> AsyncIterator[AsyncClient]:
    registry = CollectorRegistry()
    app = create_app(
        title="Test",
        handlers=[administration("order", database)],
        authenticator=Tokens(),
        state={"idempotency": Idempotency(Records(database, ttl=3600))},
        registry=registry,
    )
    async with running(app) as client:
        yield client


async def dead(database: Database, count: int, error: str = "status 404: gone") -> list[int]:
    """Ids of so many dead letters."""
    for number in range(count):
        await put(database, number, f"order:{number}:payment", "/internal/payments/1")
    await database.fetch("UPDATE outbox SET dead_letter_at = now(), refusals = 8, last_error = $1", error)
    return [message.id for message in await waiting(database)]


async def test_dead_letters_say_what_since_when_and_why_but_not_their_content(
    api: AsyncClient, database: Database
) -> None:
    (number,) = await dead(database, 1)
    await put(database, 7, "later")
    answer = await api.get(PATH, headers=BOSS)
    assert answer.status_code == 200 and "value" not in answer.text
    (shown,) = answer.json()["items"]
    assert (shown["id"], shown["call"], shown["target"]) == (
        str(number),
        "PUT /internal/payments/1",
        "other",
    )
    assert (shown["error"], shown["refusals"]) == ("status 404: gone", 8)
    assert shown["created_at"] <= shown["dead_since"]
    (waits,) = (await api.get(f"{PATH}?state=waiting", headers=BOSS)).json()["items"]
    assert (waits["aggregate"], waits["dead_since"]) == ("later", None)


async def test_the_list_is_turned_page_by_page(api: AsyncClient, database: Database) -> None:
    ids = [str(number) for number in await dead(database, 5)]
    seen, cursor = [], ""
    while True:
        page = (await api.get(f"{PATH}?limit=2{cursor}", headers=BOSS)).json()
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ids


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 19, "1" * 20, "١"])
async def test_a_cursor_that_is_not_of_this_list_is_refused(api: AsyncClient, cursor: str) -> None:
    answer = await api.get(PATH, params={"cursor": cursor}, headers=BOSS)
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == "invalid_cursor"


async def test_a_retry_makes_it_due_wakes_the_delivery_and_is_on_record(
    api: AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = await dead(database, 2)
    database.message_written["other"].clear()
    with caplog.at_level(logging.INFO, logger="services.audit"):
        assert (await api.post(f"{PATH}/{first}/retries", headers=BOSS)).status_code == 202
    due = {message.id: message.dead_letter_at is None for message in await waiting(database)}
    assert due == {first: True, second: False}
    assert database.message_written["other"].is_set()
    (record,) = [each for each in caplog.records if each.name == "services.audit"]
    assert (record.action, record.path) == ("retryOutboxMessage", f"{PATH}/{first}/retries")  # type: ignore[attr-defined]
    assert record.actor == str(uuid5(UUID(int=0), "admin"))  # type: ignore[attr-defined]
    assert 'admin_actions_total{event="retryOutboxMessage"} 1.0' in (await api.get("/metrics")).text


async def test_two_clicks_are_one_retry(api: AsyncClient, database: Database) -> None:
    (number,) = await dead(database, 1)
    headers = {**BOSS, "Idempotency-Key": "11111111-2222-4333-8444-555555555555"}
    answers = await asyncio.gather(*(api.post(f"{PATH}/{number}/retries", headers=headers) for _ in range(3)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    again = await api.post(f"{PATH}/{number}/retries", headers=headers)
    assert again.status_code == 202 and again.headers["Idempotent-Replayed"] == "true"
    # Of another click, with a key of its own, there is nothing to be done any more.
    assert (await api.post(f"{PATH}/{number}/retries", headers=BOSS)).status_code == 404


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**63), str(2**64), "1.0"])
async def test_what_is_no_dead_letter_is_not_retried(api: AsyncClient, number: str) -> None:
    assert (await api.post(f"{PATH}/{number}/retries", headers=BOSS)).status_code in {400, 404}


async def test_only_administrators_see_and_retry(api: AsyncClient, database: Database) -> None:
    (number,) = await dead(database, 1)
    for token, status in (("member", 403), ("guest", 403), ("", 401)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert (await api.get(PATH, headers=headers)).status_code == status
        assert (await api.post(f"{PATH}/{number}/retries", headers=headers)).status_code == status
    (message,) = await waiting(database)
    assert message.dead_letter_at is not None


async def test_the_summary_counts_what_is_dead_and_says_since_when_something_waits(
    api: AsyncClient, database: Database
) -> None:
    path = f"{PATH}/summary"
    assert (await api.get(path, headers=BOSS)).json() == {"dead": 0, "waiting_since": None}
    await dead(database, 3)
    await put(database, 7, "later")
    await put(database, 8, "latest")
    found = (await api.get(path, headers=BOSS)).json()
    oldest = (await api.get(f"{PATH}?state=waiting", headers=BOSS)).json()["items"][0]
    assert (found["dead"], found["waiting_since"]) == (3, oldest["created_at"])
    assert (await api.get(path, headers={"Authorization": "Bearer member"})).status_code == 403


@pytest.mark.parametrize("which", [True, False], ids=["dead", "waiting"])
async def test_no_list_reads_the_whole_outbox(database: Database, which: bool) -> None:
    await database.fetch(
        "INSERT INTO outbox (aggregate, target, method, path, body, dead_letter_at) SELECT 'a' || n, 't', 'PUT', "
        "'/p', '{}', CASE WHEN n % 1000 = 0 THEN now() END FROM generate_series(1, 20000) AS n"
    )
    await settle(database)
    assert await scanned(database, store.page_statement(which), [0, 21]) == []
    assert await scanned(database, store.STUCK, [100]) == []
