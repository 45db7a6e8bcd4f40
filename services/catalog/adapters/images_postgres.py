"""Which product shows which picture, in PostgreSQL. Database down: Unavailable, and nothing is changed."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from services.catalog.adapters import cache_tags, product_rows
from services.catalog.application.pictures import Versions
from services.catalog.domain.errors import Stale, UnknownImage, UnknownProduct
from services.catalog.domain.pictures import Rendered
from services.catalog.domain.products import Image
from services.chassis.cache_tags import CacheTags
from services.chassis.postgres import Database

_MOVE = """
    UPDATE product_image SET position = -1 - CASE
        WHEN position = $2 THEN $3::int
        WHEN position >= $3::int AND position < $2 THEN position + 1
        WHEN position > $2 AND position <= $3::int THEN position - 1
        ELSE position END
    WHERE product_id = $1
"""


class PostgresImages:
    def __init__(self, database: Database, tags: CacheTags | None = None) -> None:
        self._database = database
        self._tags = tags or CacheTags(database)

    async def put(
        self,
        product: UUID,
        versions: Versions,
        position: int,
        rendered: Rendered,
        alt: Mapping[str, str],
        now: datetime,
    ) -> tuple[Image, int]:
        async with self._database.transaction() as connection:
            version = await _next_version(connection, product, versions, now)
            await connection.execute(
                "INSERT INTO picture (hash, width, height, widths, created_at) VALUES ($1, $2, $3, $4, $5) "
                "ON CONFLICT (hash) DO UPDATE SET created_at = excluded.created_at",
                rendered.hash,
                rendered.width,
                rendered.height,
                list(rendered.widths),
                now,
            )
            await connection.execute(
                "INSERT INTO product_image (product_id, position, hash, alt) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (product_id, position) DO UPDATE SET hash = excluded.hash, alt = excluded.alt",
                product,
                position,
                rendered.hash,
                msgspec.json.encode(alt).decode(),
            )
            await self._tags.moved(cache_tags.of_product(product))
        return Image(position, rendered.hash, rendered.width, rendered.height, rendered.widths, alt), version

    async def change(
        self,
        product: UUID,
        versions: Versions,
        position: int,
        to: int,
        alt: Mapping[str, str | None],
        now: datetime,
    ) -> tuple[Image, int]:
        async with self._database.transaction() as connection:
            version = await _next_version(connection, product, versions, now)
            row = await connection.fetchrow(
                f"SELECT {product_rows.IMAGE_COLUMNS} FROM product_image i JOIN picture pic USING (hash) "  # noqa: S608
                "WHERE i.product_id = $1 AND i.position = $2",
                product,
                position,
            )
            if row is None:
                raise UnknownImage
            shown = product_rows.image(row)
            merged = {language: text for language, text in {**shown.alt, **alt}.items() if text is not None}
            await connection.execute(
                "UPDATE product_image SET alt = $3 WHERE product_id = $1 AND position = $2",
                product,
                position,
                msgspec.json.encode(merged).decode(),
            )
            if to != position:
                # Over positions that there are not: on the way no two pictures may stand at one.
                await connection.execute(_MOVE, product, position, to)
                await connection.execute(
                    "UPDATE product_image SET position = -1 - position WHERE product_id = $1 AND position < 0",
                    product,
                )
            await self._tags.moved(cache_tags.of_product(product))
        return replace(shown, position=to, alt=merged), version

    async def delete(self, product: UUID, versions: Versions, position: int, now: datetime) -> int:
        async with self._database.transaction() as connection:
            version = await _next_version(connection, product, versions, now)
            gone = await connection.fetchval(
                "DELETE FROM product_image WHERE product_id = $1 AND position = $2 RETURNING true",
                product,
                position,
            )
            if not gone:
                raise UnknownImage
            await self._tags.moved(cache_tags.of_product(product))
        return version

    async def forget_unshown(self, before: datetime) -> int:
        rows = await self._database.fetch(
            "DELETE FROM picture WHERE created_at < $1 "
            "AND NOT EXISTS (SELECT FROM product_image WHERE product_image.hash = picture.hash) RETURNING 1",
            before,
        )
        return len(rows)

    async def known(self, hashes: Collection[str]) -> Collection[str]:
        rows = await self._database.fetch("SELECT hash FROM picture WHERE hash = ANY($1)", list(hashes))
        return {row["hash"] for row in rows}


async def _next_version(
    connection: asyncpg.Connection, product: UUID, versions: Versions, now: datetime
) -> int:
    """Images are a part of the product as people see it: who read it before has to read it again."""
    version: int | None = await connection.fetchval(
        "UPDATE product SET version = version + 1, updated_at = $3 "
        "WHERE id = $1 AND deleted_at IS NULL AND ($2::int[] IS NULL OR version = ANY($2)) RETURNING version",
        product,
        None if versions is None else list(versions),
        now,
    )
    if version is not None:
        return version
    exists = await connection.fetchval(
        "SELECT true FROM product WHERE id = $1 AND deleted_at IS NULL", product
    )
    raise Stale if exists else UnknownProduct
