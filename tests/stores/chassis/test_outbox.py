"""The outbox between a real database and a receiver over HTTP."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from common import request_ids
from common.http_client import HttpClient
from common.telemetry import tracing
from common.telemetry.spans import Span
from common.telemetry.tracing import Tracer
from services.chassis import database_commands, outbox
from services.chassis.outbox import decisions
from services.chassis.outbox.delivery import ATTEMPTS_IN_TRACE
from services.chassis.postgres import Database
from tests.stores.chassis.messages import Body, put, waiting
from tests.waiting import WITHIN


class Receiver:
    def __init__(self) -> None:
        self.status = 204
        self.body = b""
        self.delay = 0.0
        self.got: list[tuple[str, str]] = []
        self.key = ""
        self.numbers: list[int] = []
        self.traces: list[str] = []
        self.request_ids: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        self.key = request.headers["X-Internal-Key"]
        self.numbers.append(int(request.headers["X-Message-Sequence"]))
        self.traces.append(request.headers.get("traceparent", ""))
        self.request_ids.append(request.headers.get("X-Request-Id", ""))
        # What receivers of the former version read.
        assert request.headers["X-Order-Number"] == request.headers["X-Message-Sequence"]
        self.got.append((request.path, (await request.read()).decode()))
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status, body=self.body)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def delivery(database: Database, receiver: Receiver) -> AsyncIterator[outbox.Delivery]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", receiver.take)
    server = TestServer(app)
    await server.start_server()
    client = HttpClient()
    async with client.lifespan():
        yield make(database, client, str(server.make_url("")).rstrip("/"))
    await server.close()


def make(database: Database, client: HttpClient, url: str) -> outbox.Delivery:
    return outbox.Delivery(
        outbox.OutboxStore(database),
        targets={"other": outbox.HttpTarget(client, url, internal_key="k" * 16)},
        registry=CollectorRegistry(),
        chance=lambda: 0.0,
    )


async def due_now(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("UPDATE outbox SET next_attempt_at = clock_timestamp()")


async def test_a_message_goes_out_with_its_change_or_not_at_all(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await put(database, 1)
            raise ZeroDivisionError
    assert await delivery.deliver_due("other") == 0
    await put(database, 2)
    assert await delivery.deliver_due("other") == 1
    assert receiver.got == [("/internal/a", '{"value":2}')]
    assert receiver.key == "k" * 16
    assert await waiting(database) == []


async def test_a_message_without_a_transaction_is_refused(database: Database) -> None:
    with pytest.raises(RuntimeError):
        await outbox.put(database, aggregate="a", target="other", method="PUT", path="/", body=Body(1))


async def test_messages_of_one_aggregate_keep_their_order_whatever_fails(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    for value in range(3):
        await put(database, value, "a")
    await put(database, 9, "b")
    receiver.status = 503
    assert await delivery.deliver_due("other") == 2
    receiver.status = 200
    for _ in range(3):
        await due_now(database)
        await delivery.deliver_due("other")
    values = [body for path, body in receiver.got if path == "/internal/a"]
    assert values == ['{"value":0}', '{"value":0}', '{"value":1}', '{"value":2}']
    assert await waiting(database) == []


async def test_a_repeat_has_its_messages_number_and_a_later_message_a_higher_one(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    receiver.status = 503
    await put(database, 1)
    await delivery.deliver_due("other")
    receiver.status = 204
    await put(database, 2)
    for _ in range(2):
        await due_now(database)
        await delivery.deliver_due("other")
    first, repeat, later = receiver.numbers
    assert first == repeat < later


async def test_replicas_share_the_work_and_deliver_each_message_once(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    for value in range(40):
        await put(database, value, f"aggregate-{value}")
    receiver.delay = 0.05
    while await waiting(database):
        await asyncio.gather(
            delivery.deliver_due("other"), delivery.deliver_due("other"), delivery.deliver_due("other")
        )
    assert sorted(receiver.got) == sorted((f"/internal/aggregate-{n}", f'{{"value":{n}}}') for n in range(40))


async def test_a_delivery_cut_short_is_repeated(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    """What a kill -9 between the receiver's answer and our commit comes to."""
    await put(database, 1)
    receiver.delay = 0.2
    cut = asyncio.create_task(delivery.deliver_due("other"))
    while not receiver.got:
        await asyncio.sleep(0.01)
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)
    receiver.delay = 0
    assert await delivery.deliver_due("other") == 1
    assert receiver.got == [("/internal/a", '{"value":1}')] * 2
    assert await waiting(database) == []


async def test_a_message_waits_longer_after_each_failure(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    await put(database, 1)
    receiver.status = 500
    await delivery.deliver_due("other")
    assert await delivery.deliver_due("other") == 0
    (message,) = await waiting(database)
    assert (message.attempts, message.last_error.startswith("status 500")) == (1, True)


async def test_a_receiver_that_is_not_there_is_retried(database: Database) -> None:
    client = HttpClient()
    await put(database, 1)
    async with client.lifespan():
        await make(database, client, "http://127.0.0.1:1").deliver_due("other")
    (message,) = await waiting(database)
    assert message.dead_letter_at is None
    assert "127.0.0.1" in message.last_error


async def test_a_refused_message_becomes_a_dead_letter_seen_and_retried_by_a_person(
    database: Database,
    delivery: outbox.Delivery,
    receiver: Receiver,
) -> None:
    await put(database, 1)
    await put(database, 2, path="/internal/a/after")
    receiver.status = 422
    for _ in range(decisions.MAX_REFUSALS + 2):
        await due_now(database)
        await delivery.deliver_due("other")
    assert len(receiver.got) == decisions.MAX_REFUSALS
    store = outbox.OutboxStore(database)
    (dead,) = await store.listed(dead_only=True, limit=10)
    shown = database_commands.line(dead)
    assert "dead_letter" in shown
    assert "status 422" in shown
    assert "value" not in shown
    backlog = await store.backlog("other")
    assert (backlog.pending, backlog.dead_letters) == (1, 1)
    receiver.status = 204
    assert [message.id for message in await store.retry_dead_letters(dead.id)] == [dead.id]
    for _ in range(2):
        await delivery.deliver_due("other")
    assert await waiting(database) == []


async def test_after_a_long_outage_one_refusal_makes_no_dead_letter(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    await put(database, 1)
    for status in (503,) * (decisions.MAX_REFUSALS + 2) + (404, 401):
        receiver.status = status
        await due_now(database)
        await delivery.deliver_due("other")
    (message,) = await waiting(database)
    assert (message.attempts, message.refusals) == (decisions.MAX_REFUSALS + 4, 1)
    assert message.dead_letter_at is None


async def test_a_dead_letter_is_overtaken_by_a_later_one_that_says_the_same_anew(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    """An e-mail that auth refuses, and the next one that the member chose."""
    await put(database, 1)
    receiver.status = 409
    for _ in range(decisions.MAX_REFUSALS):
        await due_now(database)
        await delivery.deliver_due("other")
    await put(database, 2)
    await put(database, 3, path="/internal/a/after")
    receiver.status, receiver.got = 204, []
    for _ in range(2):
        await delivery.deliver_due("other")
    assert receiver.got == [("/internal/a", '{"value":2}'), ("/internal/a/after", '{"value":3}')]
    assert await waiting(database) == []


async def test_a_message_that_is_only_waiting_is_not_overtaken(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    await put(database, 1)
    receiver.status = 409
    await delivery.deliver_due("other")
    await put(database, 2)
    receiver.status = 204
    assert await delivery.deliver_due("other") == 0
    await due_now(database)
    for _ in range(2):
        await delivery.deliver_due("other")
    assert [body for _, body in receiver.got[1:]] == ['{"value":1}', '{"value":2}']


async def test_deliveries_go_on_after_the_database_was_away(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    async with delivery.lifespan():
        await put(database, 1)
        async with database.transaction() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await put(database, 2, "b")
        async with asyncio.timeout(WITHIN):
            while {path for path, _ in receiver.got} != {"/internal/a", "/internal/b"}:
                await asyncio.sleep(0.05)


async def test_a_message_of_this_process_waits_for_no_poll(
    database: Database, delivery: outbox.Delivery, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox.HttpTarget, "look_every", 60.0)
    async with delivery.lifespan():
        for number in range(3):
            await put(database, number, f"a{number}")
            async with asyncio.timeout(WITHIN):
                while len(receiver.got) <= number:
                    await asyncio.sleep(0.01)


async def test_a_change_that_is_rolled_back_wakes_nobody(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await put(database, 1)
            raise ZeroDivisionError
    assert not database.message_written["other"].is_set()


async def test_a_message_beyond_what_may_wait_for_its_target_is_not_written(database: Database) -> None:
    written = [await put(database, number, f"a{number}", most=3) for number in range(4)]
    assert [number is not None for number in written] == [True] * 3 + [False]
    assert await put(database, 4, "b", target="another", most=1)
    assert await put(database, 5, "c")
    assert len(await waiting(database)) == 5


async def test_a_message_is_delivered_in_the_trace_of_its_change_each_time(
    database: Database, delivery: outbox.Delivery, receiver: Receiver
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with request_ids.named(request_ids.from_headers(["the-request"], [f"00-{trace}-00f067aa0ba902b7-01"])):
        await put(database, 1)
    receiver.status = 503
    for status in (503, 503, 204):
        receiver.status = status
        await due_now(database)
        assert await delivery.deliver_due("other") == 1
    assert [sent[3:35] for sent in receiver.traces] == [trace] * 3
    assert len(set(receiver.traces)) == 3
    assert receiver.request_ids == ["the-request"] * 3
    assert await waiting(database) == []


async def test_after_a_few_attempts_each_has_a_trace_of_its_own_that_is_linked(
    database: Database, delivery: outbox.Delivery, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Span] = []
    monkeypatch.setattr(tracing, "_tracer", Tracer(kept.extend, 1.0))
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with request_ids.named(request_ids.from_headers(["the-request"], [f"00-{trace}-00f067aa0ba902b7-01"])):
        await put(database, 1)
    receiver.status = 503
    for _ in range(ATTEMPTS_IN_TRACE + 2):
        await due_now(database)
        assert await delivery.deliver_due("other") == 1
    deliveries = [span for span in kept if span.name == "deliver other"]
    assert [span.attributes["gatehouse.outbox.attempt"] for span in deliveries] == list(
        range(1, ATTEMPTS_IN_TRACE + 3)
    )
    *within, ninth, tenth = deliveries
    assert {span.trace_id for span in within} == {trace}
    assert len({trace, ninth.trace_id, tenth.trace_id}) == 3
    assert ninth.links == tenth.links == ((trace, within[0].parent_id),)
    assert all(span.failed for span in deliveries)
    assert set(receiver.request_ids) == {"the-request"}


@pytest.mark.parametrize("refusals", [0, decisions.MAX_REFUSALS - 1])
async def test_an_answer_that_no_database_takes_is_kept_without_what_it_does_not_take(
    database: Database, delivery: outbox.Delivery, receiver: Receiver, refusals: int
) -> None:
    """Else none of the messages that were claimed with it would be done with, and all would be sent again for ever."""
    await put(database, 1)
    async with database.transaction() as connection:
        await connection.execute("UPDATE outbox SET refusals = $1", refusals)
    receiver.status, receiver.body = 422, b"half\0way \xff"
    assert await delivery.deliver_due("other") == 1
    (message,) = await waiting(database)
    assert message.last_error == "status 422: half\ufffdway \ufffd"
    assert (message.attempts, message.dead_letter_at is not None) == (1, bool(refusals))
