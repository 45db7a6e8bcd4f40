"""Writing messages, and looking at those that wait."""

import msgspec

from services.chassis import outbox
from services.chassis.postgres import Database


class Body(msgspec.Struct):
    value: int


async def put(
    database: Database,
    value: int,
    aggregate: str = "a",
    path: str = "",
    target: str = "other",
    most: int | None = None,
) -> int | None:
    async with database.transaction():
        return await outbox.put(
            database,
            aggregate=aggregate,
            target=target,
            method="PUT",
            path=path or f"/internal/{aggregate}",
            body=Body(value),
            most=most,
        )


async def waiting(database: Database) -> list[outbox.OutboxMessage]:
    return list(await outbox.OutboxStore(database).listed(dead_only=False, limit=100))
