"""The events that were heard, once each; with what follows from one, in one statement."""

from datetime import datetime

import msgspec

from common import request_ids
from common.telemetry import tracing
from services.chassis.outbox import single_statement
from services.chassis.postgres import Database
from services.payment.adapters.payment_messages import PROVIDER, Wanted
from services.payment.application.events import Event

_ABOUT = (
    "about AS (SELECT order_id, traceparent FROM payment WHERE order_id = $5 UNION ALL "
    "SELECT order_id, traceparent FROM payment_object JOIN payment USING (order_id) WHERE provider_id = ANY($6) "
    "LIMIT 1)"
)
"""The payment that it may be about, if there is one."""
_HEARD = (
    "heard AS (INSERT INTO provider_event (provider, event_id, type, object_id, order_id, received_at) "
    "VALUES ($1, $2, $3, $4, (SELECT order_id FROM about), $7) ON CONFLICT DO NOTHING RETURNING order_id)"
)
_ASKED = single_statement.insertion(
    "heard JOIN about USING (order_id)",
    aggregate="'payment:' || order_id || ':provider'",
    target="$8",
    method="'PUT'",
    path="'/payments/' || order_id",
    body="$9",
    request_id="$10",
    # A webhook has a trace of its own: what follows is the payment's, and goes on in its trace.
    traceparent="coalesce(nullif(traceparent, ''), $11)",
)
_FOUND = "SELECT order_id, traceparent FROM heard LEFT JOIN about USING (order_id)"
_WRITE = f"WITH {_ABOUT}, {_HEARD} {_FOUND}"
_WRITE_AND_ASK = f"WITH {_ABOUT}, {_HEARD}, asked AS ({_ASKED}) {_FOUND}"


class PostgresEvents:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, provider: str, event: Event, now: datetime, *, ask: bool) -> bool:
        values = (
            provider,
            event.id,
            event.type,
            event.objects[0] if event.objects else "",
            event.order,
            list(event.objects),
            now,
        )
        if not ask:
            return bool(await self._database.fetch(_WRITE, *values))
        ids = request_ids.current.get()
        rows = await self._database.fetch(
            _WRITE_AND_ASK,
            *values,
            PROVIDER,
            msgspec.json.encode(Wanted(refresh=True)),
            ids.request_id if ids else "",
            tracing.context(),
        )
        if rows and rows[0]["order_id"] is not None:
            tracing.link(rows[0]["traceparent"])
            single_statement.written(self._database, PROVIDER)
        return bool(rows)
