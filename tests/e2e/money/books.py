"""What is written down when a storm is over: three databases, the provider's books, and the mails."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass, field
from email.policy import default
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from tests.e2e.stack import Stack

Row = dict[str, Any]

_SUBJECTS = {
    "We have your order": "placed",
    "Your payment has arrived": "paid",
    "Your order is on its way": "shipped",
    "Your order was cancelled": "cancelled",
    "Your money was given back": "refunded",
    "Part of your money was given back": "part",
}


@dataclass(frozen=True)
class Mail:
    kind: str
    order: int
    """Its number."""
    to: str


@dataclass
class Books:
    """Rows as the tables have them, of the storm's orders and SKUs; `charges`, `ledger`, `waiting` are all."""

    orders: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    order_refunds: list[Row] = field(default_factory=list)
    stock: list[Row] = field(default_factory=list)
    reservations: list[Row] = field(default_factory=list)
    """A row for each line, with its reservation's state."""
    journal: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    payment_refunds: list[Row] = field(default_factory=list)
    ledger: list[Row] = field(default_factory=list)
    charges: list[Row] = field(default_factory=list)
    open_pages: list[str] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    """Messages that were not delivered, dead letters among them, by the service that sends them."""


async def query(stack: Stack, database: str, sql: str, *arguments: Any) -> list[Row]:
    connection = await asyncpg.connect(f"{stack.postgres_url}/{database}", timeout=20)
    try:
        return [dict(row) for row in await connection.fetch(sql, *arguments, timeout=60)]
    finally:
        await connection.close()


async def read(stack: Stack, like: str, skus: list[str]) -> Books:
    """`like`: the pattern of the orders' addresses."""
    books = Books()
    books.orders = await query(
        stack,
        "orders",
        "SELECT id, number, email, cart_id, state, payment_state, items + shipping AS total, captured, refunded, "
        "refund_pending FROM orders WHERE email LIKE $1",
        like,
    )
    ids = [order["id"] for order in books.orders]
    of_orders = "WHERE order_id = ANY($1)"
    books.lines = await query(
        stack, "orders", f"SELECT order_id, variant_id, quantity FROM order_line {of_orders}", ids
    )
    books.events = await query(
        stack, "orders", f"SELECT order_id, event, state FROM order_event {of_orders} ORDER BY id", ids
    )
    books.order_refunds = await query(
        stack, "orders", f"SELECT id, order_id, amount, state FROM refund {of_orders}", ids
    )
    books.stock = await query(
        stack,
        "catalog",
        "SELECT s.variant_id, s.on_hand, s.reserved FROM stock s JOIN variant v ON v.id = s.variant_id "
        "WHERE v.sku = ANY($1)",
        skus,
    )
    variants = [row["variant_id"] for row in books.stock]
    books.reservations = await query(
        stack,
        "catalog",
        "SELECT r.order_id, r.state, l.variant_id, l.quantity FROM reservation r "
        "LEFT JOIN reservation_line l USING (order_id) WHERE r.order_id = ANY($1) OR l.variant_id = ANY($2)",
        ids,
        variants,
    )
    books.journal = await query(
        stack,
        "catalog",
        "SELECT variant_id, change, order_id FROM stock_journal WHERE variant_id = ANY($1)",
        variants,
    )
    books.payments = await query(
        stack,
        "payments",
        f"SELECT order_id, amount, state, session_id, intent_id, authorised, captured FROM payment {of_orders}",
        ids,
    )
    books.payment_refunds = await query(
        stack,
        "payments",
        f"SELECT id, order_id, amount, cause, state, provider_id FROM refund {of_orders}",
        ids,
    )
    books.ledger = await query(
        stack,
        "payments",
        "SELECT t.id, t.order_id, t.movement, t.provider_id, t.intent_id, e.account, e.amount "
        "FROM ledger_transaction t LEFT JOIN ledger_entry e ON e.transaction_id = t.id",
    )
    books.waiting = await waiting(stack)
    provider = httpx.get(f"{stack.sandbox_url}/_control/books", timeout=30).raise_for_status().json()
    books.charges, books.open_pages = provider["intents"], provider["open_sessions"]
    books.mails = [mail for text in stack.mails() if (mail := _mail(text)) is not None]
    return books


async def waiting(stack: Stack) -> dict[str, int]:
    found = {}
    for database in ("orders", "payments"):
        (row,) = await query(stack, database, "SELECT count(*) AS count FROM outbox")
        found[database] = row["count"]
    return found


def _mail(text: bytes) -> Mail | None:
    message = email.message_from_bytes(text, policy=default)
    found = re.fullmatch(r"(.+) \((\d+)\)", str(message["Subject"]))
    if found is None or found[1] not in _SUBJECTS:
        return None  # auth's, or of another language
    return Mail(_SUBJECTS[found[1]], int(found[2]), str(message["To"]))


def order_of(charge: Row) -> UUID | None:
    named = charge["metadata"].get("order_id")
    return UUID(named) if named else None
