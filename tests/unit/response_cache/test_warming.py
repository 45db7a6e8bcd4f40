"""Warming up: bounded, through the listener, and never in anybody's way."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kong.plugins.response_cache import warming
from kong.plugins.response_cache.warming import AT_ONCE, MOST, warm_up
from tests.waiting import WITHIN


class Listener:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.under_way = self.most_under_way = 0
        self.silent = False
        self.accompanied = asyncio.Event()
        self.accompanied.set()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        if self.under_way > 1:
            self.accompanied.set()
        await self.accompanied.wait()
        await asyncio.sleep(60 if self.silent else 0.005)
        self.under_way -= 1
        return web.Response(status=404 if request.path == "/gone" else 200)


@pytest.fixture
async def listener(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listener]:
    monkeypatch.setattr(warming, "ALL_WITHIN_S", WITHIN)
    monkeypatch.setattr(warming, "ONE_WITHIN_S", WITHIN)
    listener, app = Listener(), web.Application()
    app.router.add_get("/{path:.*}", listener.answer)
    async with TestServer(app) as server:
        listener.url = str(server.make_url("")).rstrip("/")
        yield listener


async def test_each_path_is_asked_for_once_and_a_few_at_a_time(listener: Listener) -> None:
    paths = [f"/api/products?cursor={number}" for number in range(40)] + ["/gone"]
    listener.accompanied.clear()
    assert await warm_up(paths, listener.url, lambda: True) == 40
    assert sorted(listener.asked) == sorted(paths)
    assert 1 < listener.most_under_way <= AT_ONCE


async def test_it_waits_until_what_comes_back_can_be_kept(listener: Listener) -> None:
    looks = iter([False, False, True])
    asked_before = []

    def ready() -> bool:
        asked_before.append(len(listener.asked))
        return next(looks)

    assert await warm_up(["/a"], listener.url, ready) == 1
    assert asked_before == [0, 0, 0]


async def test_no_more_than_so_many_paths(listener: Listener) -> None:
    assert await warm_up([f"/{number}" for number in range(MOST + 50)], listener.url, lambda: True) == MOST


async def test_it_ends_where_nobody_answers(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await warm_up(["/a", "/b"], "http://127.0.0.1:1", lambda: True) == 0
    monkeypatch.setattr(warming, "ALL_WITHIN_S", 0.1)
    listener.silent = True
    assert await warm_up(["/a", "/b"], listener.url, lambda: True) == 0
    assert await warm_up(["/c"], listener.url, lambda: False) == 0
    assert "/c" not in listener.asked
