"""Every read of the catalog is answered from indexes, as the planner itself says, at 50,000 products."""

import json
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.catalog.adapters import load_data
from services.catalog.adapters.products_postgres import PostgresProducts
from services.catalog.adapters.shop_postgres import (
    OFFERS,
    cards_statement,
    counts_statement,
    suggestions_statement,
)
from services.catalog.adapters.stock_postgres import TOTALS, journal_statement, levels_statement
from services.catalog.application.ports import Filters, ListQuery, Sort
from services.catalog.application.stock import StockQuery
from services.catalog.commands import MIGRATIONS
from services.catalog.domain.products import Status
from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from tests.query_plans import settle

PRODUCTS = 50_000
ID = UUID(int=0)
AT = datetime(2026, 1, 20, tzinfo=UTC)
RARE = ("갺",)
"""A syllable of one name in some thousands."""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def url(new_postgres_database: Callable[[], str]) -> str:
    return new_postgres_database()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url, application="test", statement_timeout=60)
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        if not await database.fetch("SELECT FROM product LIMIT 1"):
            await load_data.load(database, PRODUCTS)
            await settle(database)
        yield database


def page(sort: Sort = Sort.NEWEST, **changes: Any) -> tuple[str, list[Any]]:
    query = {name: changes.pop(name) for name in ("categories", "after") if name in changes}
    return cards_statement(ListQuery(filters=Filters(**changes), sort=sort, limit=21, **query))


CATEGORIES = tuple(UUID(int=number) for number in range(10))
STATEMENTS = {
    "newest": page(),
    "newest, later": page(after=(AT, ID)),
    "price": page(Sort.PRICE_UP),
    "price, later": page(Sort.PRICE_UP, after=(50_000, ID)),
    "dearest": page(Sort.PRICE_DOWN, after=(50_000, ID)),
    "price band": page(min_price=10_000, max_price=30_000),
    "in stock": page(in_stock=True),
    "category": page(categories=CATEGORIES),
    "category, price, later": page(Sort.PRICE_UP, categories=CATEGORIES, after=(50_000, ID)),
    "search": page(Sort.RELEVANCE, words=("운동화",)),
    "search, rare": page(Sort.RELEVANCE, words=RARE),
    "search, later": page(Sort.RELEVANCE, words=("운동화", "검정"), after=(8, ID)),
    "search, filters": page(
        Sort.PRICE_UP, words=("가방",), categories=CATEGORIES, in_stock=True, min_price=5_000
    ),
    "counts": counts_statement(Filters(), (10_000, 50_000)),
    "counts, search": counts_statement(Filters(words=("운동화",)), (10_000, 50_000)),
    "suggestions": suggestions_statement(("운동",), 8),
    "documents": PostgresProducts.page_statement(None, (), None, 21, (AT, ID)),
    "documents, drafts": PostgresProducts.page_statement(Status.DRAFT, (), None, 21, None),
    "documents, search": PostgresProducts.page_statement(None, RARE, None, 21, None),
    "documents, category": PostgresProducts.page_statement(None, (), CATEGORIES, 21, None),
    "stock": levels_statement(StockQuery(prefix="LOAD-0012", limit=21)),
    "stock, low": levels_statement(StockQuery(at_most=0, limit=21, after=(0, "LOAD-000100-S"))),
    "stock of one": levels_statement(StockQuery(product=ID, limit=100)),
    "totals": (TOTALS, [[ID], 5]),
    "journal": journal_statement(None, 21, 50_000),
    "journal of one": journal_statement(ID, 21, None),
    "offers": (OFFERS, [["LOAD-000001-S", "LOAD-000002-L"]]),
    "product": ("SELECT * FROM product p WHERE p.slug = $1 AND p.deleted_at IS NULL", ["load-1"]),
}


@pytest.mark.parametrize("name", STATEMENTS)
async def test_no_read_scans_a_table(database: Database, name: str) -> None:
    sql, arguments = STATEMENTS[name]
    rows = await database.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
    plan = json.loads(rows[0]["QUERY PLAN"])[0]
    if os.environ.get("SHOW_PLANS"):
        print(f"{name}: {plan['Execution Time']:.1f} ms, {' > '.join(_nodes(plan['Plan']))}")
    scanned = [node for node in _nodes(plan["Plan"]) if node.startswith("Seq Scan")]
    # A handful of rows are read as they are: an index would cost more.
    assert [node for node in scanned if node.rpartition(" ")[2] not in SMALL] == []


SMALL = {"picture", "product_image", "category"}
"""Empty or tiny in this test; none of them grows with what is sold."""


def _nodes(plan: dict[str, Any]) -> list[str]:
    kind = plan["Node Type"]
    name = plan.get("Index Name") or plan.get("Relation Name") or ""
    own = [f"{kind} {name}"] if name else []
    return own + [node for child in plan.get("Plans", ()) for node in _nodes(child)]
