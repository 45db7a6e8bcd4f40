"""The messages in the database: written with the change, claimed by one replica at a time, gone when delivered."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

import asyncpg
import msgspec

from common import request_ids
from common.telemetry import tracing
from services.chassis.postgres import Database
from services.chassis.postgres.engine import SafeTransaction


class OutboxMessage(msgspec.Struct, frozen=True):
    """One call to be made: `method` `path` on `target` (most often a service), with a JSON `body`.

    `attempts` counts all deliveries that were tried, `refusals` those that the receiver would not have. `request_id`
    and `traceparent` (W3C Trace Context) are those of the change that it tells of.
    """

    id: int
    aggregate: str
    target: str
    method: str
    path: str
    body: bytes
    request_id: str
    attempts: int
    refusals: int
    created_at: datetime
    dead_letter_at: datetime | None
    last_error: str
    traceparent: str = ""


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message about to be written. Messages of one `aggregate` are delivered in the order of writing, this one no
    sooner than in `due_in` seconds. Where `most` messages to the target wait already, it is not written. Its delivery
    goes on in the trace at hand, or in that of `traceparent`."""

    aggregate: str
    target: str
    method: str
    path: str
    body: msgspec.Struct
    most: int | None = None
    due_in: float = 0.0
    traceparent: str | None = None


class Backlog(msgspec.Struct, frozen=True):
    """How much waits; `oldest` is the age of the oldest message that is not a dead letter, in seconds."""

    pending: int
    dead_letters: int
    oldest: float


class Stuck(msgspec.Struct, frozen=True):
    """How many dead letters there are, counted up to a bound, and since when the oldest message waits that is none."""

    dead: int
    waiting_since: datetime | None


async def put(
    database: Database,
    *,
    aggregate: str,
    target: str,
    method: str,
    path: str,
    body: msgspec.Struct,
    most: int | None = None,
    due_in: float = 0.0,
    traceparent: str | None = None,
) -> int | None:
    """Writes one message, as `put_all`. Returns its number; None where it is not written."""
    message = NewMessage(
        aggregate=aggregate,
        target=target,
        method=method,
        path=path,
        body=body,
        most=most,
        due_in=due_in,
        traceparent=traceparent,
    )
    (number,) = await _written(database, [message])
    return number


async def put_all(database: Database, messages: Sequence[NewMessage]) -> Sequence[NewMessage]:
    """Writes messages into the transaction at hand, in one statement. Returns those that are not written since too many
    wait, which is found out by looking at no more of them than that.

    Raises RuntimeError outside a transaction: a message without its change is what the outbox exists to prevent.
    """
    numbers = await _written(database, messages)
    return [message for message, number in zip(messages, numbers, strict=True) if number is None]


@cache
def _put_statement(messages: int, bounded: bool) -> str:
    """For so many messages: of a number that it knows PostgreSQL keeps one plan, of an array it makes one each time.
    `bounded`: some of them have a `most`."""
    rows = ", ".join(
        f"(${at}::text, ${at + 1}::text, ${at + 2}::text, ${at + 3}::text, ${at + 4}::bytea, ${at + 5}::bigint, "
        f"${at + 6}::float8, ${at + 7}::text, {place})"
        for place, at in enumerate(range(2, 2 + 8 * messages, 8))
    )
    bound = (
        "WHERE m.most IS NULL OR NOT EXISTS (SELECT FROM outbox WHERE outbox.target = m.target "
        "AND dead_letter_at IS NULL OFFSET m.most - 1 LIMIT 1) "
    )
    return (
        "INSERT INTO outbox (aggregate, target, method, path, body, request_id, next_attempt_at, traceparent) "  # noqa: S608
        "SELECT m.aggregate, m.target, m.method, m.path, m.body, $1, "
        "clock_timestamp() + make_interval(secs => m.due_in), m.traceparent "
        f"FROM (VALUES {rows}) AS m (aggregate, target, method, path, body, most, due_in, traceparent, place) "
        f"{bound if bounded else ''}ORDER BY m.place RETURNING id, aggregate, target"
    )


async def _written(database: Database, messages: Sequence[NewMessage]) -> Sequence[int | None]:
    """The messages' numbers, in their order."""
    transaction = _transaction(database)
    if not messages:
        return ()
    for message in messages:
        if not message.due_in:
            transaction.after_commit.append(database.message_written[message.target].set)
    ids, at_hand = request_ids.current.get(), tracing.context()
    values: list[Any] = [ids.request_id if ids else ""]
    for message in messages:
        traceparent = at_hand if message.traceparent is None else message.traceparent
        values += (message.aggregate, message.target, message.method, message.path)
        values += (msgspec.json.encode(message.body), message.most, message.due_in, traceparent)
    bounded = any(message.most is not None for message in messages)
    rows = await transaction.connection.fetch(_put_statement(len(messages), bounded), *values)
    numbers = {(row["aggregate"], row["target"]): row["id"] for row in rows}
    return [numbers.get((message.aggregate, message.target)) for message in messages]


def _transaction(database: Database) -> SafeTransaction:
    transaction = database.engine.current_transaction.get()
    if transaction is None:
        raise RuntimeError("an outbox message is written in the transaction of its change")
    return cast(SafeTransaction, transaction)


_COLUMNS = (
    "id, aggregate, target, method, path, body, request_id, attempts, refusals, created_at, dead_letter_at, "
    "last_error, traceparent"
)
_CLAIM = f"""
WITH due AS MATERIALIZED (
    SELECT id, EXISTS (SELECT FROM outbox e WHERE e.aggregate = o.aggregate AND e.id < o.id) AS goes_past
    FROM outbox AS o
    WHERE target = $2 AND dead_letter_at IS NULL AND next_attempt_at <= statement_timestamp()
      AND NOT EXISTS (
        SELECT 1 FROM outbox e WHERE e.aggregate = o.aggregate AND e.id < o.id
          AND NOT (e.dead_letter_at IS NOT NULL AND e.path = o.path AND e.method = 'PUT' AND o.method = 'PUT')
      )
    ORDER BY next_attempt_at, id LIMIT $1
    FOR UPDATE OF o SKIP LOCKED
), taken AS (
    DELETE FROM outbox USING due WHERE outbox.id = due.id RETURNING outbox.*, due.goes_past
)
SELECT {_COLUMNS}, goes_past FROM taken ORDER BY next_attempt_at, id
"""  # noqa: S608
"""Deletes what it finds: most messages are delivered, and then nothing is left to do but to commit."""


class Claim:
    """Messages that one replica delivers, within one transaction."""

    def __init__(self, connection: asyncpg.Connection, rows: Sequence[Any]) -> None:
        self._connection = connection
        self.messages = [_message(row) for row in rows]
        self._go_past = {row["id"] for row in rows if row["goes_past"]}
        self._settled: set[int] = set()

    async def delivered(self, messages: Sequence[OutboxMessage]) -> None:
        """They stay deleted, and the dead letters that they went past are, too."""
        self._settled.update(message.id for message in messages)
        past = [message for message in messages if message.id in self._go_past]
        if past:
            await self._connection.execute(
                "DELETE FROM outbox USING unnest($1::text[], $2::bigint[]) AS done (aggregate, id) "
                "WHERE outbox.aggregate = done.aggregate AND outbox.id < done.id",
                [message.aggregate for message in past],
                [message.id for message in past],
            )

    async def put_back(self, messages: Sequence[OutboxMessage]) -> None:
        """Those of them that were neither delivered nor put back are there again, as they were."""
        back = [message for message in messages if message.id not in self._settled]
        if back:
            self._settled.update(message.id for message in back)
            await self._connection.executemany(_PUT_BACK, [_values(message) for message in back])


_KEPT = tuple(name for name in OutboxMessage.__struct_fields__ if name != "dead_letter_at")
_PUT_BACK = (
    f"INSERT INTO outbox ({', '.join(_KEPT)}) OVERRIDING SYSTEM VALUE "  # noqa: S608
    f"VALUES ({', '.join(f'${place}' for place in range(1, len(_KEPT) + 1))})"
)
"""Nothing that is claimed is a dead letter. It is due at once: it was."""


def _values(message: OutboxMessage) -> tuple[Any, ...]:
    return tuple(getattr(message, name) for name in _KEPT)


class OutboxStore:
    """What delivering needs of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def claim(self, target: str, limit: int) -> AsyncIterator["Claim"]:
        """Messages to `target` that are due. Those that are delivered are gone at the context's end, the others are
        there again; meanwhile other replicas pass over them.

        Only the first message of an aggregate is ever due; a dead letter holds back those behind it, but not a later
        PUT to the same path, which says anew what the dead letter said. If the process dies inside the context, the
        deletion goes with its connection and the messages are due again.
        """
        async with self._database.transaction() as connection:
            claim = Claim(connection, await connection.fetch(_CLAIM, limit, target))
            yield claim
            await claim.put_back(claim.messages)

    async def any_due(self, target: str) -> bool:
        """Whether `claim` may find something: one statement without a transaction, for those that look in vain."""
        rows = await self._database.fetch(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE target = $1 AND dead_letter_at IS NULL "
            "AND next_attempt_at <= statement_timestamp()) AS due",
            target,
        )
        return bool(rows[0]["due"])

    def apart(self) -> AbstractContextManager[None]:
        """Inside, nothing takes part in the transaction at hand: it is a claim's, and one connection serves one."""
        return self._database.apart()

    async def forget(self, ids: Sequence[int]) -> None:
        """Deletes messages that were delivered by another way."""
        await self._database.fetch("DELETE FROM outbox WHERE id = ANY($1::bigint[])", list(ids))

    async def news(self, target: str, patience: float) -> bool:
        """True when this process has written a message to `target`; False after `patience` seconds: others may have."""
        written = self._database.message_written[target]
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await written.wait()
        told = written.is_set()
        written.clear()
        return told

    async def retry_later(self, id_: int, after: timedelta, error: str, *, refused: bool) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE outbox SET attempts = attempts + 1, refusals = refusals + $4, last_error = $3, "
                "next_attempt_at = clock_timestamp() + $2 WHERE id = $1",
                id_,
                after,
                _storable(error),
                int(refused),
            )

    async def dead_letter(self, id_: int, error: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE outbox SET attempts = attempts + 1, refusals = refusals + 1, last_error = $2, "
                "dead_letter_at = clock_timestamp() WHERE id = $1",
                id_,
                _storable(error),
            )

    async def backlog(self, target: str) -> Backlog:
        (row,) = await self._database.fetch(
            "SELECT count(*) FILTER (WHERE dead_letter_at IS NULL) AS pending, "
            "count(dead_letter_at) AS dead_letters, "
            "extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE dead_letter_at IS NULL))::float8 "
            "AS oldest FROM outbox WHERE target = $1",
            target,
        )
        return Backlog(row["pending"], row["dead_letters"], row["oldest"] or 0.0)

    async def listed(self, *, dead_only: bool, limit: int) -> Sequence[OutboxMessage]:
        """The oldest messages that wait, for a person to read."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "SELECT id, aggregate, target, method, path, body, request_id, attempts, refusals, created_at, "
                "dead_letter_at, last_error, traceparent FROM outbox WHERE dead_letter_at IS NOT NULL OR NOT $1 "
                "ORDER BY id LIMIT $2",
                dead_only,
                limit,
            )
        return [_message(row) for row in rows]

    async def page(self, *, dead: bool, after: int, limit: int) -> Sequence[OutboxMessage]:
        """Dead letters, or those that are still tried, with higher ids than `after`, the oldest first."""
        return [_message(row) for row in await self._database.fetch(page_statement(dead), after, limit)]

    async def stuck(self, most: int) -> Stuck:
        """`most`: dead letters beyond so many are not counted."""
        (row,) = await self._database.fetch(STUCK, most)
        return Stuck(row["dead"], row["waiting_since"])

    async def retry_dead_letters(self, id_: int | None) -> Sequence[OutboxMessage]:
        """Makes one dead letter, or all of them, due again. Returns them."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "UPDATE outbox SET dead_letter_at = NULL, attempts = 0, refusals = 0, "  # noqa: S608
                "next_attempt_at = clock_timestamp() "
                f"WHERE dead_letter_at IS NOT NULL AND ($1::bigint IS NULL OR id = $1) RETURNING {_COLUMNS}",
                id_,
            )
            messages = [_message(row) for row in rows]
            transaction = _transaction(self._database)
            for target in {message.target for message in messages}:
                transaction.after_commit.append(self._database.message_written[target].set)
        return messages

    async def forget_dead_letters(self, ids: Sequence[int]) -> int:
        """How many of them there were."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "DELETE FROM outbox WHERE id = ANY($1::bigint[]) AND dead_letter_at IS NOT NULL RETURNING id",
                list(ids),
            )
        return len(rows)


STUCK = (
    "SELECT (SELECT count(*) FROM (SELECT FROM outbox WHERE dead_letter_at IS NOT NULL LIMIT $1) AS counted) AS dead, "
    "(SELECT created_at FROM outbox WHERE dead_letter_at IS NULL ORDER BY id LIMIT 1) AS waiting_since"
)


def page_statement(dead: bool) -> str:
    """The list's SQL, for running it and for asking the planner about it."""
    which = "IS NOT NULL" if dead else "IS NULL"
    return f"SELECT {_COLUMNS} FROM outbox WHERE dead_letter_at {which} AND id > $1 ORDER BY id LIMIT $2"  # noqa: S608


def _message(row: Any) -> OutboxMessage:
    return OutboxMessage(**{name: row[name] for name in OutboxMessage.__struct_fields__})


def _storable(error: str) -> str:
    """What a receiver said, as far as it is kept. PostgreSQL takes no null character, UTF-8 no half of a pair."""
    return error[:500].encode("utf-8", "replace").decode().replace("\0", "\ufffd")
