"""The events that were heard, once each."""

from datetime import datetime
from uuid import UUID

from services.chassis.postgres import Database
from services.payment.application.events import Event


class PostgresEvents:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, provider: str, event: Event, order: UUID | None, now: datetime) -> bool:
        rows = await self._database.fetch(
            "INSERT INTO provider_event (provider, event_id, type, object_id, order_id, received_at) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING event_id",
            provider,
            event.id,
            event.type,
            event.objects[0] if event.objects else "",
            order,
            now,
        )
        return bool(rows)

    async def order_of(self, event: Event) -> UUID | None:
        rows = await self._database.fetch(
            "SELECT order_id FROM payment WHERE order_id = $1 "
            "UNION ALL SELECT order_id FROM payment_object WHERE provider_id = ANY($2) LIMIT 1",
            event.order,
            list(event.objects),
        )
        return rows[0]["order_id"] if rows else None
