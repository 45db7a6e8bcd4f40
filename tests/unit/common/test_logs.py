import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator

import asyncpg
import pytest

from common import request_ids
from common.logs import JsonFormatter, LineHandler, configure


@pytest.fixture
def pipe() -> Iterator[tuple[int, logging.Logger]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    handler = LineHandler(writer)
    handler.setFormatter(JsonFormatter("test"))
    logger = logging.getLogger("tests.log_lines")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    yield reader, logger
    logger.removeHandler(handler)
    os.close(reader)
    os.close(writer)


def read(reader: int) -> list[str]:
    try:
        return [json.loads(line)["message"] for line in os.read(reader, 100_000).splitlines()]
    except BlockingIOError:
        return []


def test_outside_the_event_loop_a_line_is_written_at_once(pipe: tuple[int, logging.Logger]) -> None:
    reader, logger = pipe
    logger.info("now")
    assert read(reader) == ["now"]


async def test_lines_of_one_moment_are_written_together(pipe: tuple[int, logging.Logger]) -> None:
    reader, logger = pipe
    logger.info("first")
    logger.info("second")
    assert read(reader) == []
    await asyncio.sleep(LineHandler.DELAY_S * 2)
    assert read(reader) == ["first", "second"]
    logger.info("third")
    await asyncio.sleep(LineHandler.DELAY_S * 2)
    assert read(reader) == ["third"]


async def test_a_warning_takes_all_that_waits_with_it_at_once(pipe: tuple[int, logging.Logger]) -> None:
    reader, logger = pipe
    logger.info("before")
    logger.warning("watch out")
    assert read(reader) == ["before", "watch out"]


async def test_evidence_is_written_at_once(pipe: tuple[int, logging.Logger]) -> None:
    reader, logger = pipe
    logger.info("before")
    logger.getChild("audit").info("login")
    assert read(reader) == ["before", "login"]


def test_an_exception_and_what_cannot_be_encoded_are_still_one_line(pipe: tuple[int, logging.Logger]) -> None:
    reader, logger = pipe
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception("failed", extra={"odd": object()})
    (line,) = os.read(reader, 100_000).splitlines()
    told = json.loads(line)
    assert "two\nlines" in told["error.stack_trace"]
    assert (told["error.type"], told["log.level"]) == ("ValueError", "error")


def test_names_are_those_of_the_elastic_common_schema() -> None:
    record = logging.makeLogRecord(
        {"msg": "request", "name": "services.access", "levelno": 30, "levelname": "WARNING"}
        | {"method": "GET", "path": "/a", "status": 503, "duration_ns": 1_500_000, "client": "192.0.2.1"}
        | {"error": "OSError", "cause": "no route", "event": "login", "actor": "a", "outbox_message": 7}
    )
    ids = request_ids.from_headers(["the-request"], [])
    with request_ids.named(ids):
        line = json.loads(JsonFormatter("order").format(record))
    assert line.pop("@timestamp").endswith("+00:00")
    assert line == {
        "log.level": "warning",
        "service.name": "order",
        "log.logger": "services.access",
        "message": "request",
        "http.request.id": "the-request",
        "trace.id": ids.trace_id,
        "span.id": ids.span_id,
        "http.request.method": "GET",
        "url.path": "/a",
        "http.response.status_code": 503,
        "event.duration": 1_500_000,
        "client.ip": "192.0.2.1",
        "error.type": "OSError",
        "error.message": "no route",
        "event.action": "login",
        "user.id": "a",
        "gatehouse.outbox_message": 7,
    }


def test_no_line_says_the_same_again_in_colours() -> None:
    record = logging.makeLogRecord({"msg": "Started", "color_message": "\x1b[36mStarted\x1b[0m"})
    assert "color_message" not in json.loads(JsonFormatter("test").format(record))


def test_the_first_use_of_a_redis_script_is_no_news() -> None:
    loggers = [logging.getLogger(), logging.getLogger("coredis")]
    before = [(logger.level, logger.handlers[:]) for logger in loggers]
    try:
        configure("test", "INFO")
        assert not logging.getLogger("coredis.retry").isEnabledFor(logging.INFO)
    finally:
        for logger, (level, handlers) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.handlers = handlers


def test_a_stack_trace_has_no_values_of_rows_or_arguments() -> None:
    """PostgreSQL names them in what it says more, and its driver in what it could not encode."""

    def failing() -> None:
        taken = asyncpg.UniqueViolationError('duplicate key value violates unique constraint "member_email"')
        taken.detail, taken.hint = (
            "Key (email)=(kim@shop.test) already exists.\n\n(several lines)",
            "Look there.",
        )
        try:
            raise taken
        except asyncpg.UniqueViolationError as fault:
            raise asyncpg.DataError(
                "invalid input for query argument $12: 'kim@shop.test' (a str)"
            ) from fault

    try:
        failing()
    except asyncpg.DataError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    trace = json.loads(JsonFormatter("test").format(record))["error.stack_trace"]
    assert "kim@" not in trace and "several lines" not in trace
    for kept in (
        'constraint "member_email"\nHINT:',
        "The above exception was the direct cause",
        "argument $12",
    ):
        assert kept in trace
