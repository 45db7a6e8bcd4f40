"""The one statement that writes a change of a payment: its row, ids of the provider's, bookings and messages.

A payment changes about five times in a checkout; a transaction with a statement for each table took four round trips
more every time. All parts hang on the row's update: where that finds another version, nothing is written.
"""

from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any, NamedTuple

from services.chassis.outbox import single_statement
from services.payment.adapters import payment_messages
from services.payment.application.ports import Booking
from services.payment.application.record import Record
from services.payment.domain.ledger import Movement, entries


class Write(NamedTuple):
    """It returns the row's new version, or nothing. `told`: the outbox' targets that it has messages for."""

    sql: str
    arguments: Sequence[Any]
    told: Sequence[str]


def of(
    record: Record, was: Record | None, bookings: Sequence[Booking], *, ask: bool, only: int | None
) -> Write:
    """`ask`: with a message that the provider is to be called. `only`: the version that may be replaced."""
    payment, known = record.payment, record.payment.known
    arguments: list[Any] = [
        record.order,
        payment.goal.name.lower(),
        record.attempt,
        known.session.value,
        record.session_id,
        record.session_url,
        record.intent,
        known.authorised,
        known.captured,
        known.cancelled,
        payment.state.value,
        record.sequence,
        record.updated_at,
    ]
    if only is not None:
        arguments.append(only)
    if objects := _new_objects(record, was):
        arguments.append(objects)
    if booked := _entries(bookings):
        arguments += [record.terms.currency, *map(list, zip(*booked, strict=True))]
    messages = []
    if payment_messages.is_news(record, was):
        messages.append(payment_messages.to_order(record))
    if ask:
        messages.append(payment_messages.to_provider(record.order))
    for message in messages:
        arguments += message
    sql = _sql(only is not None, bool(objects), bool(booked), len(messages))
    return Write(sql, arguments, [message.target for message in messages])


def _new_objects(record: Record, was: Record | None) -> list[str]:
    known_before = {was.session_id, was.intent} if was else set()
    return [id_ for id_ in (record.session_id, record.intent) if id_ is not None and id_ not in known_before]


def _entries(bookings: Sequence[Booking]) -> list[tuple[str, str, str, int]]:
    """Movement, provider's id of it, account and amount of every entry, in the order of the bookings."""
    once: dict[tuple[Movement, str], int] = {}
    for booking in bookings:
        once.setdefault((booking.movement, booking.provider_id), booking.amount)
    return [
        (movement.value, provider_id, entry.account.value, entry.amount)
        for (movement, provider_id), amount in once.items()
        for entry in entries(movement, amount)
    ]


@cache
def _sql(only: bool, objects: bool, booked: bool, messages: int) -> str:
    numbers = count(14)

    def next_() -> str:
        return f"${next(numbers)}"

    # Nothing but numbers of parameters is put into the texts.
    version = f"AND xmin = {next_()} " if only else ""
    parts = [
        "saved AS (UPDATE payment SET goal = $2, attempt = $3, session = $4, session_id = $5, session_url = $6, "  # noqa: S608
        "intent_id = $7, authorised = $8, captured = $9, cancelled = $10, state = $11, sequence = $12, "
        f"updated_at = $13, checked_at = $13 WHERE order_id = $1 {version}"
        "RETURNING order_id, attempt, intent_id, xmin AS version)"
    ]
    if objects:
        parts.append(
            "objects AS (INSERT INTO payment_object (provider_id, order_id, attempt) "  # noqa: S608
            f"SELECT unnest({next_()}::text[]), order_id, attempt FROM saved ON CONFLICT DO NOTHING)"
        )
    if booked:
        currency, movements, ids, accounts, amounts = (next_() for _ in range(5))
        parts += [
            "wanted AS (SELECT order_id, intent_id, entry.* FROM saved, "  # noqa: S608
            f"unnest({movements}::text[], {ids}::text[], {accounts}::text[], {amounts}::bigint[]) "
            "AS entry (movement, provider_id, account, amount))",
            # Once: what is booked already is left alone. Each movement has one entry that is a debit.
            "booked AS (INSERT INTO ledger_transaction (order_id, movement, provider_id, intent_id, currency) "  # noqa: S608
            f"SELECT order_id, movement, provider_id, intent_id, {currency} FROM wanted WHERE amount > 0 "
            "ON CONFLICT (movement, provider_id) DO NOTHING RETURNING id, movement, provider_id)",
            "entered AS (INSERT INTO ledger_entry (transaction_id, account, amount) "
            "SELECT booked.id, account, amount FROM booked JOIN wanted USING (movement, provider_id))",
        ]
    for number in range(messages):
        values = {field: next_() for field in payment_messages.Message._fields}
        parts.append(f"message_{number} AS ({single_statement.insertion('saved', **values)})")
    return f"WITH {', '.join(parts)} SELECT version FROM saved"  # noqa: S608
