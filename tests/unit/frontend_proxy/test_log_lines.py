"""Lines are written together, and none is late that anybody waits for."""

import asyncio
import json
import logging
import os
from collections.abc import Iterator

import pytest

from frontend_proxy.logs import BatchHandler, JsonFormatter


class Written:
    """What has context at the other end of a pipe."""

    def __init__(self, reading: int) -> None:
        self._reading = reading

    def messages(self) -> list[str]:
        try:
            return [json.loads(line)["message"] for line in os.read(self._reading, 65536).splitlines()]
        except BlockingIOError:
            return []


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, Written]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(writing, "w", 65536, "utf-8") as stream:
        handler = BatchHandler(stream)
        handler.setFormatter(JsonFormatter())
        log = logging.Logger("test")
        log.addHandler(handler)
        yield log, Written(reading)
    os.close(reading)


async def test_lines_of_one_moment_are_written_together(written: tuple[logging.Logger, Written]) -> None:
    log, there = written
    log.info("first")
    log.info("second")
    assert there.messages() == []
    await asyncio.sleep(BatchHandler.DELAY_S * 2)
    assert there.messages() == ["first", "second"]
    log.info("third")
    await asyncio.sleep(BatchHandler.DELAY_S * 2)
    assert there.messages() == ["third"]


async def test_a_warning_waits_for_nothing_and_takes_what_waits_along(
    written: tuple[logging.Logger, Written],
) -> None:
    log, there = written
    log.info("first")
    log.warning("now")
    assert there.messages() == ["first", "now"]


def test_outside_of_the_event_loop_nothing_waits(written: tuple[logging.Logger, Written]) -> None:
    log, there = written
    log.info("starting")
    assert there.messages() == ["starting"]


async def test_what_waits_at_the_end_of_the_process_is_written(
    written: tuple[logging.Logger, Written],
) -> None:
    log, there = written
    log.info("last")
    # logging.shutdown, at exit, runs where there is no event loop any more.
    await asyncio.get_running_loop().run_in_executor(None, log.handlers[0].flush)
    assert there.messages() == ["last"]
