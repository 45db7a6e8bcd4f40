"""Public reads that are asked for at the same moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from common.http_client import HttpClient
from services.bff.adapters.source import Source
from services.bff.application.gathering import SourceFailed


class Catalog(msgspec.Struct):
    asked: int


class Shop:
    """A source that answers once it is told to, with how often it has been asked."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.open = asyncio.Event()
        self.status = 200

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        count = len(self.asked)
        await self.open.wait()
        return web.json_response({"asked": count}, status=self.status)

    async def until_asked(self, times: int) -> None:
        while len(self.asked) < times:
            await asyncio.sleep(0.001)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def source(shop: Shop) -> AsyncIterator[Source]:
    app = web.Application()
    app.router.add_get("/{path:.*}", shop.answer)
    client = HttpClient()
    async with TestServer(app) as server, client.lifespan():
        yield Source("catalog", client, str(server.make_url("")).rstrip("/"), deadline=2)


async def test_all_who_ask_the_same_at_once_share_one_call(source: Source, shop: Shop) -> None:
    asking = [asyncio.create_task(source.get_public("/items", Catalog)) for _ in range(20)]
    await shop.until_asked(1)
    shop.open.set()
    assert {answer.asked for answer in await asyncio.gather(*asking)} == {1}
    assert len(shop.asked) == 1


async def test_a_public_read_carries_nobodys_token(source: Source, shop: Shop) -> None:
    shop.open.set()
    await source.get_public("/items", Catalog)
    assert "Authorization" not in shop.asked[0].headers


async def test_who_comes_after_the_answer_asks_anew(source: Source, shop: Shop) -> None:
    shop.open.set()
    assert [(await source.get_public("/items", Catalog)).asked for _ in range(3)] == [1, 2, 3]


async def test_another_address_and_a_callers_own_read_are_calls_of_their_own(
    source: Source, shop: Shop
) -> None:
    asking = [
        asyncio.create_task(source.get_public("/items", Catalog)),
        asyncio.create_task(source.get_public("/offers", Catalog)),
        asyncio.create_task(source.get("/items", "one", Catalog)),
        asyncio.create_task(source.get("/items", "another", Catalog)),
    ]
    await shop.until_asked(4)
    shop.open.set()
    assert sorted(answer.asked for answer in await asyncio.gather(*asking)) == [1, 2, 3, 4]


async def test_the_first_to_ask_may_go_away(source: Source, shop: Shop) -> None:
    first = asyncio.create_task(source.get_public("/items", Catalog))
    await shop.until_asked(1)
    second = asyncio.create_task(source.get_public("/items", Catalog))
    await asyncio.sleep(0)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    shop.open.set()
    assert (await second).asked == 1


async def test_a_failure_is_told_to_all_and_not_remembered(source: Source, shop: Shop) -> None:
    shop.status = 500
    asking = [asyncio.create_task(source.get_public("/items", Catalog)) for _ in range(3)]
    await shop.until_asked(1)
    shop.open.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(outcome, SourceFailed) for outcome in outcomes)
    shop.status = 200
    assert (await source.get_public("/items", Catalog)).asked == 2
