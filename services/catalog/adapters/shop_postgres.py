"""What visitors read, from PostgreSQL. Database down: every call raises the chassis' Unavailable.

Each list is one statement whose plan does not depend on luck: all products are read in the index of the order asked
for; a category's from its own index, one after another; a search's by the grams' index, all of them, and then sorted.
"""

from collections.abc import Sequence
from typing import Any

from services.catalog.adapters import finding, product_rows
from services.catalog.adapters.product_rows import IMAGE_COLUMNS, PRODUCT_COLUMNS, VARIANT_COLUMNS
from services.catalog.application.ports import Card, Count, Filters, ListQuery, Offer, Shown, Sort, Suggested
from services.catalog.domain.products import option_names
from services.catalog.domain.search import query_grams
from services.chassis.postgres import Database

_FOR_SALE = "p.deleted_at IS NULL AND p.status = 'active'"
_COLUMNS = "p.id, p.slug, p.brand, p.category_id, p.names, p.price, p.compare_at_price, p.created_at"
_CAN_BE_BOUGHT = (
    "EXISTS (SELECT FROM variant v JOIN stock s ON s.variant_id = v.id "
    "WHERE v.product_id = p.id AND v.deleted_at IS NULL AND v.active AND s.available > 0)"
)
_ORDERS = {
    Sort.NEWEST: ("created_at", "DESC", "<"),
    Sort.PRICE_UP: ("price", "ASC", ">"),
    Sort.PRICE_DOWN: ("price", "DESC", "<"),
    Sort.RELEVANCE: ("rank", "DESC", "<"),
}
_TYPES = {"created_at": "timestamptz", "price": "bigint", "rank": "int"}
# What a card shows besides the product's own row; both are found by the product's id.
_WITH_STOCK_AND_IMAGE = f"""
    SELECT p.*, coalesce(left_.available, 0) AS available, {IMAGE_COLUMNS}
    FROM ({{page}}) p
    LEFT JOIN LATERAL (
        SELECT max(s.available) AS available FROM variant v JOIN stock s ON s.variant_id = v.id
        WHERE v.product_id = p.id AND v.deleted_at IS NULL AND v.active
    ) left_ ON true
    LEFT JOIN LATERAL (
        SELECT * FROM product_image WHERE product_id = p.id ORDER BY position LIMIT 1
    ) i ON true
    LEFT JOIN picture pic ON pic.hash = i.hash
"""  # noqa: S608


class PostgresShop:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def cards(self, query: ListQuery) -> Sequence[Card]:
        sql, arguments = cards_statement(query)
        return [_card(row) for row in await self._database.fetch(sql, *arguments)]

    async def counts(self, filters: Filters, bands: Sequence[int]) -> Sequence[Count]:
        sql, arguments = counts_statement(filters, bands)
        rows = await self._database.fetch(sql, *arguments)
        return [Count(row["category_id"], row["band"], row["fits"], row["products"]) for row in rows]

    async def show(self, slug: str) -> Shown | None:
        rows = await self._database.fetch(PAGE, slug)
        if not rows:
            return None
        row = rows[0]
        variants = product_rows.stocked_variants(row["variants"])
        images = product_rows.images(row["images"])
        product = product_rows.product(row, [each.variant() for each in variants], images)
        return Shown(product, {each.id: each.available for each in variants})

    async def suggestions(self, words: tuple[str, ...], limit: int) -> Sequence[Suggested]:
        sql, arguments = suggestions_statement(words, limit)
        rows = await self._database.fetch(sql, *arguments)
        return [Suggested(row["slug"], product_rows.names(row["names"]), row["brand"]) for row in rows]

    async def offers(self, skus: Sequence[str]) -> dict[str, Offer]:
        rows = await self._database.fetch(OFFERS, list(skus))
        return {row["sku"]: _offer(row) for row in rows}


# One statement: a product has a dozen variants, and each read more would cost as much as all of this one.
PAGE = f"""
    SELECT {PRODUCT_COLUMNS}, (
        SELECT coalesce(json_agg(each ORDER BY each.position, each.id), '[]') FROM (
            SELECT {VARIANT_COLUMNS}, v.position, coalesce(s.available, 0) AS available
            FROM variant v LEFT JOIN stock s ON s.variant_id = v.id
            WHERE v.product_id = p.id AND v.deleted_at IS NULL AND v.active
        ) each
    ) AS variants, (
        SELECT coalesce(json_agg(each ORDER BY each.position), '[]') FROM (
            SELECT {IMAGE_COLUMNS} FROM product_image i JOIN picture pic USING (hash) WHERE i.product_id = p.id
        ) each
    ) AS images
    FROM product p WHERE p.slug = $1 AND {_FOR_SALE}
"""  # noqa: S608
OFFERS = f"""
    SELECT {VARIANT_COLUMNS}, p.slug, p.names, p.options, v.active AND {_FOR_SALE} AS for_sale,
        coalesce(s.available, 0) AS available,
        (SELECT hash FROM product_image WHERE product_id = p.id ORDER BY position LIMIT 1) AS image
    FROM variant v JOIN product p ON p.id = v.product_id LEFT JOIN stock s ON s.variant_id = v.id
    WHERE v.sku = ANY($1) AND v.deleted_at IS NULL
"""  # noqa: S608


def cards_statement(query: ListQuery) -> tuple[str, list[Any]]:
    """The list's SQL, for running it and for asking the planner about it.

    The limit is spelt out: with a limit that it does not know, the planner's plan for all calls is a hundred times
    slower, so that it would make a new one for each call, which costs more than the list.
    """
    statement = _Statement()
    column, direction, _ = _ORDERS[query.sort]
    conditions = _conditions(statement, query.filters)
    if query.filters.words:
        page = _search_page(statement, query, conditions)
    else:
        after = _after(statement, query, "p.")
        order = f"ORDER BY p.{column} {direction}, p.id {direction} LIMIT {query.limit:d}"
        one = f"SELECT {_COLUMNS}, 0 AS rank FROM product p WHERE {' AND '.join(conditions + after)}"  # noqa: S608
        if query.categories is None:
            page = f"{one} {order}"
        else:
            # An index for each category: sorting what all of them hold would cost more than a few pages.
            page = (
                f"SELECT p.* FROM unnest({statement.add(list(query.categories))}::uuid[]) AS wanted (category_id) "  # noqa: S608
                f"CROSS JOIN LATERAL ({one} AND p.category_id = wanted.category_id {order}) p {order}"
            )
    sql = _WITH_STOCK_AND_IMAGE.format(page=page)
    return f"{sql} ORDER BY p.{column} {direction}, p.id {direction}", statement.arguments


def counts_statement(filters: Filters, bands: Sequence[int]) -> tuple[str, list[Any]]:
    """The facets' SQL. A band's number is that of the last bound that is not above the price, 0 below all."""
    statement = _Statement()
    low, high = statement.add(filters.min_price), statement.add(filters.max_price)
    bounds = statement.add(list(bands))
    unpriced = Filters(words=filters.words, in_stock=filters.in_stock)
    conditions = _conditions(statement, unpriced)
    fits = f"(p.price >= coalesce({low}::bigint, 0) AND ({high}::bigint IS NULL OR p.price <= {high}))"
    return (
        f"SELECT p.category_id, width_bucket(p.price, {bounds}::bigint[]) AS band, {fits} AS fits, "  # noqa: S608
        f"count(*) AS products FROM product p WHERE {' AND '.join(conditions)} GROUP BY 1, 2, 3",
        statement.arguments,
    )


def suggestions_statement(words: tuple[str, ...], limit: int) -> tuple[str, list[Any]]:
    statement = _Statement()
    rank = finding.rank(words, statement.add)
    conditions = [
        _FOR_SALE,
        f"p.grams @> {statement.add(sorted(query_grams(words)))}::text[]",
        *finding.named_by_all(words, statement.add),
    ]
    sql = f"""
        WITH page AS (
            SELECT p.id, {rank} AS rank FROM product p WHERE {" AND ".join(conditions)}
            ORDER BY rank DESC, p.id LIMIT {statement.add(limit)}
        )
        SELECT p.slug, p.names, p.brand FROM page JOIN product p USING (id) ORDER BY page.rank DESC, p.id
    """  # noqa: S608
    return sql, statement.arguments


class _Statement:
    def __init__(self) -> None:
        self.arguments: list[Any] = []

    def add(self, value: Any) -> str:
        """The placeholder of `value`."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"


def _conditions(statement: _Statement, filters: Filters) -> list[str]:
    found = [_FOR_SALE]
    if filters.words:
        found.append(f"p.grams @> {statement.add(sorted(query_grams(filters.words)))}::text[]")
        found += finding.has_all(filters.words, statement.add)
    if filters.min_price is not None:
        found.append(f"p.price >= {statement.add(filters.min_price)}::bigint")
    if filters.max_price is not None:
        found.append(f"p.price <= {statement.add(filters.max_price)}::bigint")
    if filters.in_stock:
        found.append(_CAN_BE_BOUGHT)
    return found


def _search_page(statement: _Statement, query: ListQuery, conditions: list[str]) -> str:
    column, direction, _ = _ORDERS[query.sort]
    if query.categories is not None:
        conditions.append(f"p.category_id = ANY({statement.add(list(query.categories))}::uuid[])")
    key = finding.rank(query.filters.words, statement.add) if column == "rank" else f"p.{column}"
    after = _after(statement, query, "")
    # MATERIALIZED: found by the grams' index whatever order is asked for. Reading in that order until enough are found
    # would read the whole table where few are. Of what is found only the keys: they are sorted, the rest is for a page.
    return f"""
        WITH hit AS MATERIALIZED (
            SELECT p.id, {key} AS {column} FROM product p WHERE {" AND ".join(conditions)}
        ), page AS (
            SELECT * FROM hit {"WHERE " + after[0] if after else ""}
            ORDER BY {column} {direction}, id {direction} LIMIT {query.limit:d}
        )
        SELECT {_COLUMNS}, {"page.rank" if column == "rank" else "0"} AS rank FROM page JOIN product p USING (id)
    """  # noqa: S608


def _after(statement: _Statement, query: ListQuery, prefix: str) -> list[str]:
    if query.after is None:
        return []
    column, _, beyond = _ORDERS[query.sort]
    value, id_ = query.after
    return [
        f"({prefix}{column}, {prefix}id) {beyond} "
        f"({statement.add(value)}::{_TYPES[column]}, {statement.add(id_)}::uuid)"
    ]


def _card(row: Any) -> Card:
    return Card(
        id=row["id"],
        slug=row["slug"],
        brand=row["brand"],
        category=row["category_id"],
        names=product_rows.names(row["names"]),
        price=row["price"],
        compare_at_price=row["compare_at_price"],
        available=row["available"],
        image=product_rows.image(row) if row["hash"] else None,
        created_at=row["created_at"],
        rank=row["rank"],
    )


def _offer(row: Any) -> Offer:
    variant = product_rows.variant(row)
    names = product_rows.names(row["names"])
    return Offer(
        variant=variant,
        product=row["product_id"],
        slug=row["slug"],
        names=names,
        option_names=option_names(product_rows.options(row["options"]), variant.values, names),
        image=row["image"],
        available=row["available"],
        for_sale=row["for_sale"],
    )
