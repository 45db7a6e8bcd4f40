"""Categories in PostgreSQL. There are hundreds at most, so the tree is read as a whole. Database down: Unavailable."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from services.catalog.adapters import cache_tags, product_rows
from services.catalog.application.ports import Versions
from services.catalog.domain.errors import CategoryInUse, SlugTaken
from services.catalog.domain.products import Category
from services.chassis.cache_tags import CacheTags
from services.chassis.postgres import Database

_LOCK = 0x63617465


class PostgresCategories:
    def __init__(self, database: Database, tags: CacheTags | None = None) -> None:
        self._database = database
        self._tags = tags or CacheTags(database)

    async def all(self) -> Sequence[Category]:
        rows = await self._database.fetch(
            "SELECT id, parent_id, slug, position, names, created_at, updated_at, version FROM category "
            "WHERE deleted_at IS NULL"
        )
        return [
            Category(
                id=row["id"],
                parent=row["parent_id"],
                slug=row["slug"],
                position=row["position"],
                names=product_rows.names(row["names"]),
                created_at=row["created_at"],
                updated_at=row["updated_at"],
                version=row["version"],
            )
            for row in rows
        ]

    async def lock(self) -> None:
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)

    async def add(self, category: Category) -> None:
        async with self._database.transaction() as connection:
            try:
                await connection.execute(
                    "INSERT INTO category (id, parent_id, slug, position, names, created_at, updated_at) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $6)",
                    category.id,
                    category.parent,
                    category.slug,
                    category.position,
                    msgspec.json.encode(category.names).decode(),
                    category.created_at,
                )
            except asyncpg.UniqueViolationError as fault:
                raise SlugTaken from fault
            await self._moved()

    async def save(self, category: Category) -> bool:
        async with self._database.transaction() as connection:
            try:
                saved = await connection.fetchval(
                    "UPDATE category SET parent_id = $3, slug = $4, position = $5, names = $6, updated_at = $7, "
                    "version = $2 WHERE id = $1 AND version = $2 - 1 AND deleted_at IS NULL RETURNING true",
                    category.id,
                    category.version,
                    category.parent,
                    category.slug,
                    category.position,
                    msgspec.json.encode(category.names).decode(),
                    category.updated_at,
                )
            except asyncpg.UniqueViolationError as fault:
                raise SlugTaken from fault
            if saved:
                await self._moved()
        return bool(saved)

    async def delete(self, id_: UUID, now: datetime, versions: Versions) -> bool:
        async with self._database.transaction() as connection:
            gone = await connection.fetchval(
                "UPDATE category SET deleted_at = $2, updated_at = $2, version = version + 1 "
                "WHERE id = $1 AND deleted_at IS NULL AND ($3::int[] IS NULL OR version = ANY($3)) RETURNING true",
                id_,
                now,
                None if versions is None else list(versions),
            )
            # After the update: a product that is being put into it holds the row until it is there.
            if gone and await connection.fetchval(
                "SELECT EXISTS (SELECT FROM product WHERE category_id = $1 AND deleted_at IS NULL) "
                "OR EXISTS (SELECT FROM category WHERE parent_id = $1 AND deleted_at IS NULL)",
                id_,
            ):
                raise CategoryInUse
            if gone:
                await self._moved()
        return bool(gone)

    async def _moved(self) -> None:
        # Its names, and those of all above it, are in the answers of each product below it.
        await self._tags.moved([cache_tags.CATEGORIES, cache_tags.LISTS], remembered=True)
