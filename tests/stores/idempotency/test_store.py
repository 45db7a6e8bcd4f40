"""Reservations in a real Redis: one winner, an owner, a lease."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from common.redis_link import RedisLink
from kong.plugins.idempotency import records
from kong.plugins.idempotency.outcomes import Outcome
from kong.plugins.idempotency.store import Store
from tests.waiting import WITHIN

KEY = b"idempotency:{test}"
PRINT = b"f" * 32
FIRST, SECOND = records.reservation(PRINT, "first"), records.reservation(PRINT, "second")
DONE = records.completion(PRINT, Outcome(status=201, body=b"made"))


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    async with RedisLink(redis_url, WITHIN) as link:
        yield link


@pytest.fixture
def store(link: RedisLink) -> Store:
    return Store(link)


async def expire_lease(link: RedisLink) -> None:
    await link.command(b"PEXPIRE", KEY, 0)


async def test_the_first_to_reserve_goes_on_and_the_next_finds_it(store: Store) -> None:
    assert await store.reserve(KEY, FIRST, 30) is None
    found = await store.reserve(KEY, SECOND, 30)
    assert found is not None
    assert found[0] == FIRST
    assert 1 < found[1] <= 30


async def test_of_many_at_once_one_wins(store: Store) -> None:
    reservations = [records.reservation(PRINT, f"owner-{number}") for number in range(100)]
    results = await asyncio.gather(*(store.reserve(KEY, record, 30) for record in reservations))
    winners = [record for record, result in zip(reservations, results, strict=True) if result is None]
    assert len(winners) == 1
    assert {result[0] for result in results if result is not None} == set(winners)


async def test_a_request_that_comes_again_finds_its_own_reservation_and_goes_on(store: Store) -> None:
    await store.reserve(KEY, FIRST, 1)
    assert await store.reserve(KEY, FIRST, 30) is None
    found = await store.reserve(KEY, SECOND, 30)
    assert found is not None
    assert found[1] > 1, "its lease was renewed"


async def test_a_completion_takes_the_reservations_place_until_its_ttl(store: Store, link: RedisLink) -> None:
    await store.reserve(KEY, FIRST, 30)
    assert await store.complete(KEY, FIRST, DONE, 3600)
    found = await store.reserve(KEY, SECOND, 30)
    assert found is not None
    assert found[0] == DONE
    assert 3000 < found[1] <= 3600
    again = await store.reserve(KEY, FIRST, 30)
    assert again is not None
    assert again[0] == DONE, "also for the request that completed it"


async def test_a_release_frees_the_key_for_the_next(store: Store) -> None:
    await store.reserve(KEY, FIRST, 30)
    assert await store.release(KEY, FIRST)
    assert await store.reserve(KEY, SECOND, 30) is None


async def test_a_lease_that_ends_frees_the_key(store: Store) -> None:
    await store.reserve(KEY, FIRST, 0.05)
    await asyncio.sleep(0.1)
    assert await store.reserve(KEY, SECOND, 30) is None


async def test_nobody_completes_or_releases_another_requests_reservation(
    store: Store, link: RedisLink
) -> None:
    await store.reserve(KEY, FIRST, 30)
    await expire_lease(link)
    await store.reserve(KEY, SECOND, 30)
    assert not await store.complete(KEY, FIRST, DONE, 3600)
    assert not await store.release(KEY, FIRST)
    found = await store.reserve(KEY, FIRST, 30)
    assert found is not None
    assert found[0] == SECOND


async def test_an_outcome_that_comes_after_its_lease_is_kept_if_the_key_is_free(
    store: Store, link: RedisLink
) -> None:
    await store.reserve(KEY, FIRST, 30)
    await expire_lease(link)
    assert not await store.complete(KEY, FIRST, DONE, 3600), "the lost lease is told"
    found = await store.reserve(KEY, SECOND, 30)
    assert found is not None
    assert found[0] == DONE


async def test_completing_again_changes_nothing(store: Store) -> None:
    await store.reserve(KEY, FIRST, 30)
    await store.complete(KEY, FIRST, DONE, 3600)
    assert await store.complete(KEY, FIRST, DONE, 3600), "the phase is repeated after a killed plugin process"
    other = records.completion(PRINT, Outcome(status=200, body=b"else"))
    assert not await store.complete(KEY, FIRST, other, 3600)
    found = await store.reserve(KEY, SECOND, 30)
    assert found is not None
    assert found[0] == DONE


async def test_a_small_outcome_costs_redis_less_than_400_bytes(store: Store, link: RedisLink) -> None:
    outcome = Outcome(
        status=201,
        headers={b"content-type": b"application/json", b"location": b"/api/members/" + b"0" * 36},
        body=b"x" * 100,
    )
    await store.reserve(KEY, FIRST, 30)
    await store.complete(KEY, FIRST, records.completion(PRINT, outcome), 3600)
    assert await link.command(b"MEMORY", b"USAGE", KEY) < 400


async def test_scripts_survive_a_redis_that_forgot_them(store: Store, link: RedisLink) -> None:
    await store.reserve(KEY, FIRST, 30)
    await link.command(b"SCRIPT", b"FLUSH")
    assert await store.complete(KEY, FIRST, DONE, 3600)
