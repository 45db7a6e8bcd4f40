"""Every listed query is answered from an index, as the planner itself says, on a table of some size."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from piccolo.querystring import QueryString

from services.chassis.migrations import CHASSIS, migrate
from services.chassis.postgres import Database
from services.member.adapters import load_data
from services.member.adapters.members_postgres import PostgresMembers
from services.member.adapters.tables import MemberRow
from services.member.application.ports import Query, Sort
from services.member.domain.member import Grade
from tests.query_plans import settle

ROWS = 20_000
ID = UUID(int=0)


@pytest.fixture(scope="module")
def url(new_postgres_database: Callable[[], str]) -> str:
    return new_postgres_database()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url, application="test", statement_timeout=30)
    database.bind(MemberRow)
    async with database.lifespan():
        await migrate(database, CHASSIS, ("member", "services.member.adapters.piccolo_migrations"))
        if not await MemberRow.exists():
            await load_data.load(database, ROWS)
            await settle(database)
        yield database


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query(sort=Sort.NEWEST), "member_by_creation"),
        (Query(sort=Sort.NEWEST, after=(datetime(2026, 6, 1, tzinfo=UTC), ID)), "member_by_creation"),
        (Query(sort=Sort.OLDEST, after=(datetime(2026, 6, 1, tzinfo=UTC), ID)), "member_by_creation"),
        (Query(sort=Sort.NAME), "member_by_name"),
        (Query(sort=Sort.NAME, after=("load person 010000", ID)), "member_by_name"),
        (Query(sort=Sort.EMAIL, after=("load-010000@example.com", ID)), "member_by_email"),
        (Query(grade=Grade.VIP), "member_by_grade"),
        (Query(grade=Grade.VIP, after=(datetime(2026, 6, 1, tzinfo=UTC), ID)), "member_by_grade"),
        (Query(prefix="Load Person 0012"), "member_pkey"),
        (Query(prefix="load-0012"), "member_pkey"),
        (Query(prefix="load"), "member_by_creation"),
        (Query(created_from=datetime(2026, 6, 1, tzinfo=UTC)), "member_by_creation"),
    ],
)
async def test_a_page_reads_an_index_and_little_else(database: Database, query: Query, index: str) -> None:
    members = PostgresMembers(database)
    few = await members._few_found(query.prefix) if query.prefix else None
    plan = await explain(database, members.statement(query, few))
    assert index in plan["indexes"], plan
    assert "Seq Scan" not in plan["nodes"], plan
    assert plan["rows_read"] < ROWS / 20, plan


async def test_a_rare_prefix_is_found_without_reading_the_table(database: Database) -> None:
    members = PostgresMembers(database)
    found = await members.page(Query(prefix="Load Person 0012", limit=200))
    assert len(found) == 100
    assert len(await members.page(Query(prefix="LOAD-00123", limit=200))) == 10
    assert await members.page(Query(prefix="load_", limit=200)) == []


async def explain(database: Database, statement: QueryString) -> dict[str, Any]:
    sql, arguments = statement.compile_string()
    async with database.transaction() as connection:
        (document,) = await connection.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)

    found: dict[str, Any] = {"nodes": [], "indexes": [], "rows_read": 0}
    _walk(json.loads(document[0])[0]["Plan"], found)
    return found


def _walk(node: dict[str, Any], found: dict[str, Any]) -> None:
    found["nodes"].append(node["Node Type"])
    if "Index Name" in node:
        found["indexes"].append(node["Index Name"])
    if "Plans" not in node:
        found["rows_read"] += node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    for child in node.get("Plans", []):
        _walk(child, found)
