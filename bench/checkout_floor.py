"""What the parts of a checkout cost when they do nothing: a request through the gateway, a call between two services, a
statement, a transaction. What a checkout costs at least is how many of each it is made of, times this.

    make up && python -m bench.checkout_floor

A request is a guest's for an order that nobody has, a call asks payment for a payment that is none: a statement that
finds nothing and a refusal, in the services' own code. Statements go to a database of their own, by the services' own
pool. CPU of all processes, ours included where it does what a service would do.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

import aiohttp

from bench.checkout import Guest
from bench.stack_load import LOAD, cpu_seconds, processes
from common import header_names
from common.http_client import HttpClient
from devstack.secret_store import load_or_create
from devstack.settings import Settings, read
from devstack.topology import server
from services.chassis.postgres import Database

GUESTS, EACH = 40, 25
CALLS, STATEMENTS, TRANSACTIONS = 2000, 4000, 2000
DATABASE = "bench_floor"
CONNECTIONS = 8


async def main() -> None:
    stack = read(os.environ)
    secrets = load_or_create(stack.secrets_file)
    postgres = server(stack, secrets)
    postgres.ensure_database(DATABASE)
    client = HttpClient()
    database = Database(
        postgres.url(DATABASE), application="bench", pool_min=CONNECTIONS, pool_max=CONNECTIONS
    )
    try:
        async with aiohttp.ClientSession() as http, client.lifespan(), database.lifespan():
            await database.fetch(
                "CREATE TABLE IF NOT EXISTS written (id bigint GENERATED ALWAYS AS IDENTITY)"
            )
            await _requests(stack, http)
            await _calls(stack, client, secrets["internal_api_key"])
            await _statements(stack, database)
    finally:
        postgres.drop_database(DATABASE)


async def _requests(stack: Settings, http: aiohttp.ClientSession) -> None:
    guests = [Guest(http, stack, ("", "")) for _ in range(GUESTS)]
    for guest in guests:
        await guest.begin()

    async def ask(number: int) -> None:
        url = f"{stack.url('GATEWAY_PORT')}/api/orders/{uuid4()}"
        async with http.get(url, headers=guests[number % GUESTS].headers) as answer:
            assert answer.status == 404, answer.status

    await _tell(stack, "a request through the gateway", GUESTS * EACH, ask, {})


async def _calls(stack: Settings, client: HttpClient, key: str) -> None:
    async def ask(_: int) -> None:
        url = f"{stack.url('PAYMENT_PORT')}/internal/payments/{uuid4()}"
        answer = await client.call("GET", url, timeout=5, headers={header_names.INTERNAL_KEY: key})
        assert answer.status == 404, answer.status

    await _tell(stack, "a call between services", CALLS, ask, {LOAD: "caller"})


async def _statements(stack: Settings, database: Database) -> None:
    async def read(_: int) -> None:
        await database.fetch("SELECT 1 AS one WHERE $1::bigint > 0", 1)

    async def write(_: int) -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO written DEFAULT VALUES")

    async def written(_: int) -> None:
        await database.fetch("INSERT INTO written DEFAULT VALUES")

    await _tell(stack, "a statement", STATEMENTS, read, {LOAD: "service"})
    await _tell(stack, "a statement that writes", TRANSACTIONS, written, {LOAD: "service"})
    await _tell(stack, "a transaction of one that writes", TRANSACTIONS, write, {LOAD: "service"})


async def _tell(
    stack: Settings, name: str, count: int, act: Callable[[int], Awaitable[None]], ours: Mapping[str, str]
) -> None:
    """`ours`: what this process plays, where it counts."""
    await _several(CONNECTIONS * 4, act)
    parts = processes(stack)
    before = cpu_seconds(parts)
    await _several(count, act)
    after = cpu_seconds(parts)
    spent = {part: (seconds - before[part]) / count * 1e6 for part, seconds in after.items()}
    load = spent.pop(LOAD)
    if LOAD in ours:
        spent[ours[LOAD]] = load
    total = sum(spent.values())
    shares = ", ".join(
        f"{part} {share:.0f}"
        for part, share in sorted(spent.items(), key=lambda item: -item[1])
        if share >= 5
    )
    print(f"{name}: {total:.0f} µs of CPU ({shares})")


async def _several(count: int, act: Callable[[int], Awaitable[None]]) -> None:
    numbers = iter(range(count))

    async def one_after_another() -> None:
        for number in numbers:
            await act(number)

    await asyncio.gather(*(one_after_another() for _ in range(CONNECTIONS)))


if __name__ == "__main__":
    asyncio.run(main())
