"""What goes on beside the requests goes on, whatever happens to one round."""

import asyncio
import logging

import pytest

from services.chassis.errors import Unavailable
from services.chassis.rounds import rounds
from tests.waiting import WITHIN


async def test_a_round_that_fails_is_told_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    ran = 0
    enough = asyncio.Event()

    async def act() -> bool:
        nonlocal ran
        ran += 1
        match ran:
            case 1:
                raise Unavailable("the database is down")
            case 2:
                raise ZeroDivisionError
            case 3:
                enough.set()
        return False

    with caplog.at_level(logging.WARNING):
        async with rounds("sweeping", act, every=0.001), asyncio.timeout(WITHIN):
            await enough.wait()
    assert [(record.levelname, record.__dict__["round"]) for record in caplog.records] == [
        ("WARNING", "sweeping"),
        ("ERROR", "sweeping"),
    ]


async def test_where_there_is_more_to_do_nothing_waits() -> None:
    left = [True] * 5
    done = asyncio.Event()

    async def act() -> bool:
        if left:
            return left.pop()
        done.set()
        return False

    async with rounds("sweeping", act, every=3600), asyncio.timeout(WITHIN):
        await done.wait()
