"""Products in PostgreSQL, as those who keep them see them. Database down: Unavailable."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from common.field_codes import InvalidValue
from services.catalog.adapters import cache_tags, finding, product_rows
from services.catalog.adapters.product_rows import IMAGE_COLUMNS, PRODUCT_COLUMNS, VARIANT_COLUMNS
from services.catalog.application.ports import Versions
from services.catalog.domain.errors import InvalidProduct, SkuTaken, SlugTaken
from services.catalog.domain.products import Image, Product, Status, Variant
from services.catalog.domain.search import query_grams
from services.chassis.cache_tags import CacheTags
from services.chassis.postgres import Database


class PostgresProducts:
    def __init__(self, database: Database, tags: CacheTags | None = None) -> None:
        self._database = database
        self._tags = tags or CacheTags(database)

    async def add(self, product: Product) -> None:
        values = product_rows.columns(product.content)
        placeholders = ", ".join(f"${number}" for number in range(4, 4 + len(values)))
        async with self._database.transaction() as connection:
            await _hold_category(connection, product)
            try:
                await connection.execute(
                    f"INSERT INTO product (id, created_at, updated_at, {', '.join(values)}) "  # noqa: S608
                    f"VALUES ($1, $2, $3, {placeholders})",
                    product.id,
                    product.created_at,
                    product.updated_at,
                    *values.values(),
                )
            except asyncpg.UniqueViolationError as fault:
                raise SlugTaken from fault
            await _keep_variants(connection, product)
            await self._moved(product.id, product.content.slug)

    async def get(self, id_: UUID) -> Product | None:
        return await self._one("p.id = $1", id_)

    async def find(self, slug: str) -> Product | None:
        return await self._one("p.slug = $1", slug)

    async def page(
        self,
        status: Status | None,
        words: tuple[str, ...],
        categories: Sequence[UUID] | None,
        limit: int,
        after: tuple[datetime, UUID] | None,
    ) -> Sequence[Product]:
        sql, arguments = self.page_statement(status, words, categories, limit, after)
        return await self._read(await self._database.fetch(sql, *arguments))

    @staticmethod
    def page_statement(
        status: Status | None,
        words: tuple[str, ...],
        categories: Sequence[UUID] | None,
        limit: int,
        after: tuple[datetime, UUID] | None,
    ) -> tuple[str, list[Any]]:
        """The page's SQL, for running it and for asking the planner about it."""
        sql = f"SELECT {PRODUCT_COLUMNS} FROM product p WHERE p.deleted_at IS NULL"  # noqa: S608
        arguments: list[Any] = []
        if status is not None:
            arguments.append(status.value)
            sql += f" AND p.status = ${len(arguments)}"
        if categories is not None:
            arguments.append(list(categories))
            sql += f" AND p.category_id = ANY(${len(arguments)}::uuid[])"
        if words:

            def add(value: object) -> str:
                arguments.append(value)
                return f"${len(arguments)}"

            found = [f"p.grams @> {add(sorted(query_grams(words)))}::text[]", *finding.has_all(words, add)]
            sql += "".join(f" AND {condition}" for condition in found)
        if after is not None:
            arguments += list(after)
            sql += f" AND (p.created_at, p.id) < (${len(arguments) - 1}, ${len(arguments)})"
        arguments.append(limit)
        return f"{sql} ORDER BY p.created_at DESC, p.id DESC LIMIT ${len(arguments)}", arguments

    async def save(self, product: Product) -> bool:
        values = product_rows.columns(product.content)
        changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=4))
        async with self._database.transaction() as connection:
            await _hold_category(connection, product)
            try:
                former: str | None = await connection.fetchval(
                    f"UPDATE product SET version = $2, updated_at = $3, {changes} "  # noqa: S608
                    "FROM (SELECT slug FROM product WHERE id = $1) AS former "
                    "WHERE id = $1 AND version = $2 - 1 AND deleted_at IS NULL RETURNING former.slug",
                    product.id,
                    product.version,
                    product.updated_at,
                    *values.values(),
                )
            except asyncpg.UniqueViolationError as fault:
                raise SlugTaken from fault
            if former is None:
                return False
            await connection.execute(
                "UPDATE variant SET deleted_at = $3 WHERE product_id = $1 AND deleted_at IS NULL AND id <> ALL($2)",
                product.id,
                [variant.id for variant in product.content.variants],
                product.updated_at,
            )
            await _keep_variants(connection, product)
            await self._moved(product.id, former, product.content.slug)
        return True

    async def delete(self, id_: UUID, now: datetime, versions: Versions) -> bool:
        async with self._database.transaction() as connection:
            gone = await connection.fetchval(
                "UPDATE product SET deleted_at = $2, updated_at = $2, version = version + 1 "
                "WHERE id = $1 AND deleted_at IS NULL AND ($3::int[] IS NULL OR version = ANY($3)) RETURNING slug",
                id_,
                now,
                None if versions is None else list(versions),
            )
            if gone:
                await self._moved(id_, gone)
                await connection.execute(
                    "UPDATE variant SET deleted_at = $2 WHERE product_id = $1 AND deleted_at IS NULL",
                    id_,
                    now,
                )
        return bool(gone)

    async def _moved(self, id_: UUID, *slugs: str) -> None:
        await self._tags.moved(cache_tags.of_product(id_, *slugs), remembered=True)

    async def _one(self, condition: str, value: object) -> Product | None:
        rows = await self._database.fetch(
            f"SELECT {PRODUCT_COLUMNS} FROM product p WHERE {condition} AND p.deleted_at IS NULL",  # noqa: S608
            value,
        )
        found = await self._read(rows)
        return found[0] if found else None

    async def _read(self, rows: Sequence[Any]) -> list[Product]:
        ids = [row["id"] for row in rows]
        if not ids:
            return []
        variants: dict[UUID, list[Variant]] = {id_: [] for id_ in ids}
        for row in await self._database.fetch(
            f"SELECT {VARIANT_COLUMNS} FROM variant v "  # noqa: S608
            "WHERE v.product_id = ANY($1) AND v.deleted_at IS NULL ORDER BY v.product_id, v.position, v.id",
            ids,
        ):
            variants[row["product_id"]].append(product_rows.variant(row))
        images: dict[UUID, list[Image]] = {id_: [] for id_ in ids}
        for row in await self._database.fetch(
            f"SELECT {IMAGE_COLUMNS} FROM product_image i JOIN picture pic USING (hash) "  # noqa: S608
            "WHERE i.product_id = ANY($1) ORDER BY i.product_id, i.position",
            ids,
        ):
            images[row["product_id"]].append(product_rows.image(row))
        return [product_rows.product(row, variants[row["id"]], images[row["id"]]) for row in rows]


async def _hold_category(connection: asyncpg.Connection, product: Product) -> None:
    """Keeps the category from being deleted until the transaction ends. Raises InvalidProduct."""
    if not await connection.fetchval(
        "SELECT true FROM category WHERE id = $1 AND deleted_at IS NULL FOR SHARE", product.content.category
    ):
        raise InvalidProduct({"category": InvalidValue("unknown_category")})


async def _keep_variants(connection: asyncpg.Connection, product: Product) -> None:
    """Stores the variants as they are now; a new one gets its row of stock, empty. Raises SkuTaken."""
    variants = product.content.variants
    try:
        await connection.executemany(
            """
            INSERT INTO variant (id, product_id, sku, option_values, price, compare_at_price, vat_class, weight_grams,
                active, position)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (id) DO UPDATE SET option_values = excluded.option_values, price = excluded.price,
                compare_at_price = excluded.compare_at_price, vat_class = excluded.vat_class,
                weight_grams = excluded.weight_grams, active = excluded.active,
                position = excluded.position
            """,
            [
                (
                    variant.id,
                    product.id,
                    variant.sku,
                    list(variant.values),
                    variant.price,
                    variant.compare_at_price,
                    variant.vat_class.value,
                    variant.weight_grams,
                    variant.active,
                    position,
                )
                for position, variant in enumerate(variants)
            ],
        )
    except asyncpg.UniqueViolationError as fault:
        raise SkuTaken(_named_by(fault)) from fault
    await connection.execute(
        "INSERT INTO stock (variant_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
        [variant.id for variant in variants],
    )


def _named_by(fault: asyncpg.UniqueViolationError) -> str:
    """The SKU in `Key (sku)=(SHOE-250) already exists.`"""
    return (fault.detail or "").partition("=(")[2].partition(")")[0]
