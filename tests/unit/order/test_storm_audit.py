"""The rules by which a storm's books are judged: sound books pass, and each fault breaks the rule that it should."""

import copy
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.e2e.money import audit
from tests.e2e.money.books import Books, Mail

SHOE, BAG = UUID(int=1), UUID(int=2)
PAID, CANCELLED, REFUNDED = UUID(int=11), UUID(int=12), UUID(int=13)
START = {SHOE: 5, BAG: 2}
KEYS = {"a": [PAID], "b": [CANCELLED], "c": [REFUNDED]}
PART = UUID(int=21)


def order(id_: UUID, state: str, captured: int, refunded: int) -> dict[str, object]:
    number = id_.int
    return {
        "id": id_,
        "number": number,
        "email": f"{number}@example.com",
        "cart_id": UUID(int=100 + number),
        "state": state,
        "payment_state": "",
        "total": 1000,
        "captured": captured,
        "refunded": refunded,
        "refund_pending": 0,
    }


def booked(id_: int, movement: str, name: str, of: UUID, amount: int) -> list[dict[str, object]]:
    entry = {
        "id": id_,
        "order_id": of,
        "movement": movement,
        "provider_id": name,
        "intent_id": f"pi_{of.int}",
    }
    return [
        {**entry, "account": "provider", "amount": amount},
        {**entry, "account": "sales", "amount": -amount},
    ]


def charge(of: UUID, captured: int, refunded: int) -> dict[str, object]:
    return {
        "id": f"pi_{of.int}",
        "metadata": {"order_id": str(of)},
        "capturable": 0,
        "captured": captured,
        "refunded": refunded,
    }


def sound() -> Books:
    """One order that is paid less a part, one cancelled before it was paid, one given back whole."""
    return Books(
        orders=[
            order(PAID, "paid", 1000, 300),
            order(CANCELLED, "cancelled", 0, 0),
            order(REFUNDED, "refunded", 1000, 1000),
        ],
        lines=[
            {"order_id": PAID, "variant_id": SHOE, "quantity": 2},
            {"order_id": CANCELLED, "variant_id": SHOE, "quantity": 1},
            {"order_id": REFUNDED, "variant_id": BAG, "quantity": 1},
        ],
        events=[
            {"order_id": PAID, "event": "payment_captured", "state": "paid"},
            {"order_id": REFUNDED, "event": "payment_captured", "state": "paid"},
        ],
        order_refunds=[{"id": PART, "order_id": PAID, "amount": 300, "state": "done"}],
        stock=[
            {"variant_id": SHOE, "on_hand": 3, "reserved": 0},
            {"variant_id": BAG, "on_hand": 2, "reserved": 0},
        ],
        reservations=[
            {"order_id": PAID, "state": "committed", "variant_id": SHOE, "quantity": 2},
            {"order_id": CANCELLED, "state": "released", "variant_id": SHOE, "quantity": 1},
            {"order_id": REFUNDED, "state": "released", "variant_id": BAG, "quantity": 1},
        ],
        journal=[
            {"variant_id": SHOE, "change": 5, "order_id": None},
            {"variant_id": SHOE, "change": -2, "order_id": PAID},
            {"variant_id": BAG, "change": 2, "order_id": None},
            {"variant_id": BAG, "change": -1, "order_id": REFUNDED},
            {"variant_id": BAG, "change": 1, "order_id": REFUNDED},
        ],
        payments=[
            {"order_id": PAID, "session_id": "cs_1", "intent_id": "pi_11", "state": "captured"},
            {"order_id": REFUNDED, "session_id": "cs_3", "intent_id": "pi_13", "state": "refunded"},
        ],
        payment_refunds=[
            {"id": PART, "order_id": PAID, "amount": 300, "cause": "requested", "state": "done"},
            {"id": UUID(int=22), "order_id": REFUNDED, "amount": 1000, "cause": "void", "state": "done"},
        ],
        ledger=[
            *booked(1, "capture", "pi_11", PAID, 1000),
            *booked(2, "refund", "re_1", PAID, -300),
            *booked(3, "capture", "pi_13", REFUNDED, 1000),
            *booked(4, "refund", "re_2", REFUNDED, -1000),
        ],
        charges=[charge(PAID, 1000, 300), charge(REFUNDED, 1000, 1000)],
        mails=[
            Mail("paid", 11, "11@example.com"),
            Mail("part", 11, "11@example.com"),
            Mail("cancelled", 12, "12@example.com"),
            Mail("refunded", 13, "13@example.com"),
        ],
        waiting={"orders": 0, "payments": 0},
    )


def broken(books: Books, keys: dict[str, list[UUID]] | None = None) -> set[str]:
    return {figure.rule for figure in audit.figures(books, START, keys or KEYS) if figure.differences}


def test_sound_books_pass() -> None:
    assert broken(sound()) == set()


FAULTS: dict[str, tuple[str, Callable[[Books], object]]] = {
    "two orders of one cart": (
        "one order a checkout",
        lambda b: b.orders.append({**b.orders[0], "id": UUID(int=19)}),
    ),
    "an order that never ends": (
        "every order comes to an end",
        lambda b: b.orders[1].update(state="closing"),
    ),
    "a message that waits": ("no message waits", lambda b: b.waiting.update(orders=1)),
    "more sold than there was": ("no SKU is oversold", lambda b: b.lines[0].update(quantity=6)),
    "more held than there is": ("no SKU is oversold", lambda b: b.stock[0].update(reserved=4)),
    "stock that vanished": ("on hand + sold", lambda b: b.stock[0].update(on_hand=2)),
    "a journal that forgot": ("on hand + sold", lambda b: b.journal.pop()),
    "held for nobody": ("on hand + sold", lambda b: b.stock[0].update(reserved=1)),
    "held for a cancelled order": ("stock is as", lambda b: b.reservations[1].update(state="held")),
    "paid and not sold": ("stock is as", lambda b: b.reservations[0].update(state="released")),
    "sold and not paid": ("stock is as", lambda b: b.reservations[1].update(state="committed")),
    "stock of no order": ("stock is as", lambda b: b.reservations[1].update(order_id=UUID(int=19))),
    "a charge of nobody": ("every charge is", lambda b: b.charges.append({**charge(UUID(int=19), 5, 0)})),
    "a charge without a name": ("every charge is", lambda b: b.charges[0].update(metadata={})),
    "a payment of no order": ("every charge is", lambda b: b.payments[0].update(order_id=UUID(int=19))),
    "charged twice": (
        "nobody is charged",
        lambda b: b.charges.append({**charge(PAID, 1000, 0), "id": "pi_2"}),
    ),
    "charged another sum": ("nobody is charged", lambda b: b.charges[0].update(captured=999)),
    "cancelled and not given back": ("captured - refunded", lambda b: b.orders[0].update(state="cancelled")),
    "given back and kept": ("captured - refunded", lambda b: b.charges[0].update(refunded=1000)),
    "money held back for ever": ("no money is promised", lambda b: b.charges[1].update(capturable=1)),
    "a page that is still open": ("no money is promised", lambda b: b.open_pages.append("cs_3")),
    "an order that was told less": ("orders know", lambda b: b.orders[0].update(refunded=0)),
    "a refund of nobody": ("every refund", lambda b: b.order_refunds.clear()),
    "a refund that stays": ("every refund", lambda b: b.order_refunds[0].update(state="pending")),
    "a refund that came back": ("every refund", lambda b: b.payment_refunds[0].update(state="failed")),
    "a refund of another sum": ("every refund", lambda b: b.payment_refunds[0].update(amount=1)),
    "a ledger that does not balance": ("the ledger sums", lambda b: b.ledger[0].update(amount=1)),
    "a movement booked twice": (
        "the ledger sums",
        lambda b: b.ledger.extend(booked(5, "capture", "pi_11", PAID, 1000)),
    ),
    "a booking too few": ("the ledger is the provider's", lambda b: b.ledger.pop(0)),
    "a mail that is not true": (
        "every mail's fact",
        lambda b: b.mails.append(Mail("paid", 12, "12@example.com")),
    ),
    "a mail to somebody else": (
        "every mail's fact",
        lambda b: b.mails.append(Mail("paid", 11, "x@example.com")),
    ),
    "nobody was told of a refund": ("everybody is told", lambda b: b.mails.pop(1)),
    "nobody was told": ("everybody is told", lambda b: b.mails.pop()),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_seen(name: str) -> None:
    rule, fault = FAULTS[name]
    books = copy.deepcopy(sound())
    fault(books)
    assert any(found.startswith(rule) for found in broken(books))


@pytest.mark.parametrize(
    "keys", [{"a": [PAID, REFUNDED]}, {"a": [UUID(int=19)]}, {"a": [PAID], "b": [PAID]}, {"a": []}]
)
def test_a_lost_or_doubled_acknowledgement_is_seen(keys: dict[str, list[UUID]]) -> None:
    assert broken(sound(), keys) == {"each acknowledged order is there, once"}
