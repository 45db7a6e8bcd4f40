"""A span for each statement of a sampled request, on a real connection; none of any other."""

from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest

from common.request_ids import from_headers
from common.telemetry import tracing
from common.telemetry.spans import ATTRIBUTES, Span
from services.chassis.postgres import Database
from tests.recorded_spans import recorded

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0{}"


@pytest.fixture
def kept() -> Iterator[list[Span]]:
    with recorded(1.0) as found:
        yield found


@pytest.fixture
async def traced(kept: list[Span], new_postgres_database: Callable[[], str]) -> AsyncIterator[Database]:
    database = Database(new_postgres_database(), application="test")
    async with database.lifespan():
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE person (email text UNIQUE)")
        yield database


def begin(sampled: bool) -> Span:
    tracer = tracing.tracer()
    assert tracer is not None
    return tracer.begin(from_headers([], [PARENT.format(int(sampled))]), "GET")


async def test_one_a_statement_with_its_text_and_no_values(traced: Database, kept: list[Span]) -> None:
    request = begin(sampled=True)
    async with traced.transaction() as connection:
        await connection.execute("INSERT INTO person VALUES ($1)", "kim@example.com")
        assert await connection.fetchval("SELECT count(*) FROM person WHERE email <> 'lee@example.com'") == 1
        await connection.executemany(
            "INSERT INTO person VALUES ($1)", [("a@example.com",), ("b@example.com",)]
        )
        assert len(await connection.fetch("SELECT email FROM person")) == 3
    assert len(await traced.fetch("SELECT email FROM person WHERE email = $1", "kim@example.com")) == 1
    tracing.finish(request, "/", 200, 0.1)
    *statements, server = kept
    assert server is request
    assert [span.name for span in statements] == [
        "BEGIN",
        "INSERT person",
        "SELECT person",
        "INSERT person",
        "SELECT person",
        "COMMIT",
        "SELECT person",
    ]
    assert {span.parent_id for span in statements} == {request.span_id}
    assert {name for span in statements for name in span.attributes} <= ATTRIBUTES
    assert "example.com" not in repr([span.attributes for span in statements])
    assert statements[2].attributes["db.query.text"] == "SELECT count(*) FROM person WHERE email <> ?"
    assert all(span.began <= span.ended for span in statements)


async def test_one_that_fails_says_only_how(traced: Database, kept: list[Span]) -> None:
    request = begin(sampled=True)
    with pytest.raises(asyncpg.UniqueViolationError):
        for _ in range(2):
            await traced.fetch("INSERT INTO person VALUES ($1)", "kim@example.com")
    tracing.finish(request, "/", 200, 0.1)
    good, failed, _ = kept
    assert (good.failed, failed.failed) == (False, True)
    assert failed.attributes["error.type"] == "UniqueViolationError"
    assert "kim" not in repr(failed.attributes)


async def test_none_of_a_request_that_is_not_sampled_or_of_a_round(
    traced: Database, kept: list[Span]
) -> None:
    request = begin(sampled=False)
    await traced.fetch("SELECT email FROM person")
    tracing.finish(request, "/", 200, 0.1)
    await traced.fetch("SELECT email FROM person")
    assert kept == []


async def test_of_a_request_that_is_exported_because_it_failed_there_are_no_statements(
    traced: Database, kept: list[Span]
) -> None:
    request = begin(sampled=False)
    await traced.fetch("SELECT email FROM person")
    tracing.finish(request, "/", 503, 0.1)
    assert kept == [request]
