"""Whether the books of a storm agree. Pure: every rule is a figure with what it must be, and what differs by name.

The rules are those of the shop, not of its code: the states of orders, of stock and of money are read from where each
is kept, and held against each other and against the provider's own books.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.e2e.money.books import Books, order_of

KEPT = frozenset(("paid", "shipped", "delivered"))
"""The shop has the money, and the stock is sold."""
OVER = frozenset(("expired", "cancelled", "declined", "sold_out", "refunded"))


@dataclass(frozen=True)
class Figure:
    """`differences` names what breaks the rule; there must be none. `counted` says of how many."""

    rule: str
    counted: int
    differences: tuple[str, ...]

    @property
    def line(self) -> str:
        mark = "ok " if not self.differences else "BAD"
        return f"{mark} {self.rule}: {len(self.differences)} differences of {self.counted}"


def figures(
    books: Books, start: Mapping[UUID, int], acknowledged: Mapping[str, Sequence[UUID]]
) -> list[Figure]:
    """`start`: units of each variant that were delivered before the storm. `acknowledged`: by idempotency key, the
    order's id in each distinct answer."""
    return [
        _each_acknowledged_once(books, acknowledged),
        _one_order_a_cart(books),
        _all_finished(books),
        _nothing_waits(books),
        _nothing_oversold(books, start),
        _stock_adds_up(books, start),
        _stock_follows_state(books),
        _charges_belong_to_orders(books),
        _charged_once(books),
        _money_follows_state(books),
        _nothing_promised(books),
        _copies_agree(books),
        _refunds_agree(books),
        _ledger_balances(books),
        _ledger_is_the_providers(books),
        _mails_are_true(books),
        _mails_are_there(books),
    ]


def _figure(rule: str, of: Iterable[Any], differences: Iterable[str]) -> Figure:
    return Figure(rule, len(list(of)), tuple(differences))


# ----- Orders


def _each_acknowledged_once(books: Books, acknowledged: Mapping[str, Sequence[UUID]]) -> Figure:
    there = {order["id"] for order in books.orders}
    found = [f"{key} was answered {len(ids)} ways" for key, ids in acknowledged.items() if len(ids) != 1]
    found += [
        f"{key}: order {id_} is lost" for key, ids in acknowledged.items() for id_ in ids if id_ not in there
    ]
    keys = Counter(id_ for ids in acknowledged.values() for id_ in set(ids))
    found += [f"order {id_} answers {count} keys" for id_, count in keys.items() if count > 1]
    return _figure("each acknowledged order is there, once", acknowledged, found)


def _one_order_a_cart(books: Books) -> Figure:
    addresses = Counter(order["email"] for order in books.orders)
    carts = Counter(order["cart_id"] for order in books.orders)
    found = [f"{name}: {count} orders" for name, count in (addresses | carts).items() if count > 1]
    return _figure("one order a checkout, however often it was clicked", addresses, found)


def _all_finished(books: Books) -> Figure:
    found = [
        f"order {order['id']} stays {order['state']} (payment {order['payment_state']})"
        for order in books.orders
        if order["state"] not in KEPT | OVER
    ]
    return _figure("every order comes to an end", books.orders, found)


def _nothing_waits(books: Books) -> Figure:
    found = [f"{count} messages of {name}" for name, count in books.waiting.items() if count]
    return _figure("no message waits or is dead", books.waiting, found)


# ----- Stock


def _nothing_oversold(books: Books, start: Mapping[UUID, int]) -> Figure:
    """From the orders: what was sold is no more than there was."""
    sold: Counter[UUID] = Counter()
    kept = {order["id"] for order in books.orders if order["state"] in KEPT}
    for line in books.lines:
        if line["order_id"] in kept:
            sold[line["variant_id"]] += line["quantity"]
    found = [
        f"{variant}: {sold[variant]} sold of {units}"
        for variant, units in start.items()
        if sold[variant] > units
    ]
    found += [
        f"{row['variant_id']}: on hand {row['on_hand']}, held {row['reserved']}"
        for row in books.stock
        if not 0 <= row["reserved"] <= row["on_hand"]
    ]
    return _figure("no SKU is oversold", start, found)


def _stock_adds_up(books: Books, start: Mapping[UUID, int]) -> Figure:
    """On hand, and what is sold, is what there was; the journal tells the same, and what is held is in reservations."""
    committed: Counter[UUID] = Counter()
    held: Counter[UUID] = Counter()
    for line in books.reservations:
        if line["variant_id"] is not None:
            committed[line["variant_id"]] += line["quantity"] * (line["state"] == "committed")
            held[line["variant_id"]] += line["quantity"] * (line["state"] == "held")
    told: Counter[UUID] = Counter()
    for entry in books.journal:
        told[entry["variant_id"]] += entry["change"]
    found = []
    for row in books.stock:
        variant = row["variant_id"]
        if row["on_hand"] + committed[variant] != start[variant]:
            found.append(f"{variant}: {row['on_hand']} and {committed[variant]} sold of {start[variant]}")
        if told[variant] != row["on_hand"]:
            found.append(f"{variant}: the journal says {told[variant]}, on hand are {row['on_hand']}")
        if held[variant] != row["reserved"]:
            found.append(f"{variant}: {row['reserved']} held, in reservations {held[variant]}")
    return _figure("on hand + sold - returned = start", books.stock, found)


def _stock_follows_state(books: Books) -> Figure:
    """Nothing is held for a finished order, and what is paid is sold."""
    reservations = {line["order_id"]: line["state"] for line in books.reservations}
    found = []
    for order in books.orders:
        reservation = reservations.get(order["id"], "none")
        expected = {"committed"} if order["state"] in KEPT else {"released", "sold_out", "none"}
        if order["state"] in KEPT | OVER and reservation not in expected:
            found.append(f"order {order['id']} is {order['state']}, its stock {reservation}")
    orders = {order["id"] for order in books.orders}
    found += [f"stock for {id_}, which is no order" for id_ in reservations.keys() - orders]
    return _figure("stock is as the order's state says", books.orders, found)


# ----- Money


def _charges_belong_to_orders(books: Books) -> Figure:
    """Every charge of the provider has its payment, and every payment its order."""
    orders = {order["id"] for order in books.orders}
    found = [
        f"payment of {row['order_id']}, which is no order"
        for row in books.payments
        if row["order_id"] not in orders
    ]
    paid = {row["order_id"]: row for row in books.payments}
    booked = {entry["intent_id"] for entry in books.ledger}
    for charge in books.charges:
        order = order_of(charge)
        if order is None or (charge["captured"] and charge["id"] not in booked):
            found.append(f"charge {charge['id']} of {charge['captured']} belongs to nobody")
        elif order in paid and charge["captured"] and paid[order]["intent_id"] != charge["id"]:
            found.append(f"charge {charge['id']} is not its payment's, which is {paid[order]['intent_id']}")
    return _figure("every charge is one payment's, and that one order's", books.charges, found)


def _charged_once(books: Books) -> Figure:
    counted: dict[UUID, list[int]] = defaultdict(list)
    for charge in books.charges:
        if (of := order_of(charge)) and charge["captured"]:
            counted[of].append(charge["captured"])
    found = [
        f"order {order['id']} of {order['total']} was charged {counted[order['id']]}"
        for order in books.orders
        if len(counted[order["id"]]) > 1 or sum(counted[order["id"]]) not in {0, order["total"]}
    ]
    return _figure("nobody is charged twice, or another sum", counted, found)


def _money_follows_state(books: Books) -> Figure:
    """What the provider collected less what it gave back is what the order's state and its refunds say."""
    left: Counter[UUID] = Counter()
    for charge in books.charges:
        if of := order_of(charge):
            left[of] += charge["captured"] - charge["refunded"]
    given: Counter[UUID] = Counter()
    for refund in books.order_refunds:
        given[refund["order_id"]] += refund["amount"] * (refund["state"] == "done")
    found = []
    for order in books.orders:
        expected = order["total"] - given[order["id"]] if order["state"] in KEPT else 0
        if left[order["id"]] != expected:
            found.append(f"order {order['id']} is {order['state']} with {left[order['id']]}, not {expected}")
    return _figure("captured - refunded = what the order's state says", books.orders, found)


def _nothing_promised(books: Books) -> Figure:
    """No money is held back, and no page is open, for an order that has come to its end."""
    ended = {order["id"] for order in books.orders if order["state"] in KEPT | OVER}
    found = [
        f"{charge['capturable']} of the finished order {order_of(charge)} are held back"
        for charge in books.charges
        if charge["capturable"] and order_of(charge) in ended
    ]
    open_pages = set(books.open_pages)
    found += [
        f"the page of the finished order {row['order_id']} is open"
        for row in books.payments
        if row["session_id"] in open_pages and row["order_id"] in ended
    ]
    return _figure("no money is promised and no page open for a finished order", ended, found)


def _copies_agree(books: Books) -> Figure:
    """What order was told last of its money is what the provider has."""
    at_provider: dict[UUID, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for charge in books.charges:
        if of := order_of(charge):
            captured, refunded = at_provider[of]
            at_provider[of] = captured + charge["captured"], refunded + charge["refunded"]
    found = [
        f"order {order['id']} was told {order['captured']}, {order['refunded']}; it is {at_provider[order['id']]}"
        for order in books.orders
        if (order["captured"], order["refunded"]) != at_provider[order["id"]] or order["refund_pending"]
    ]
    return _figure("orders know their money", books.orders, found)


def _refunds_agree(books: Books) -> Figure:
    """A refund that order asked for is the one that payment has, once."""
    theirs = {row["id"]: row for row in books.payment_refunds if row["cause"] == "requested"}
    ours = {row["id"]: row for row in books.order_refunds}
    found = [f"refund {id_} is nobody's" for id_ in theirs.keys() - ours.keys()]
    for id_, refund in ours.items():
        other = theirs.get(id_)
        if refund["state"] == "done" and (other is None or other["amount"] != refund["amount"]):
            found.append(f"refund {id_} of {refund['amount']} is not payment's")
        elif refund["state"] == "done" and other is not None and other["state"] != "done":
            found.append(f"refund {id_} is done here and {other['state']} there")
        if refund["state"] not in {"done", "failed"}:
            found.append(f"refund {id_} stays {refund['state']}")
        if refund["state"] == "failed" and other is not None and other["state"] == "done":
            found.append(f"refund {id_} failed here and was made")
    found += [
        f"refund {row['id']} stays pending" for row in books.payment_refunds if row["state"] == "pending"
    ]
    return _figure("every refund is made once, or refused", books.order_refunds, found)


def _ledger_balances(books: Books) -> Figure:
    sums: Counter[int] = Counter()
    for entry in books.ledger:
        sums[entry["id"]] += entry["amount"] or 0
    found = [f"transaction {id_} sums to {total}" for id_, total in sums.items() if total]
    movements = Counter(
        (entry["movement"], entry["provider_id"]) for entry in books.ledger if entry["account"] == "provider"
    )
    found += [f"{name} is booked {count} times" for name, count in movements.items() if count > 1]
    return _figure("the ledger sums to zero, each movement once", sums, found)


def _ledger_is_the_providers(books: Books) -> Figure:
    """Charge by charge: what is booked at the provider is what the provider has."""
    booked: Counter[str] = Counter()
    for entry in books.ledger:
        if entry["account"] == "provider":
            booked[entry["intent_id"]] += entry["amount"]
    held = {charge["id"]: charge["captured"] - charge["refunded"] for charge in books.charges}
    found = [
        f"charge {id_}: {booked[id_]} booked, {held.get(id_, 0)} at the provider"
        for id_ in held.keys() | booked.keys()
        if booked[id_] != held.get(id_, 0)
    ]
    return _figure("the ledger is the provider's books", held, found)


# ----- Mails


def _mails_are_true(books: Books) -> Figure:
    orders = {order["number"]: order for order in books.orders}
    states: dict[UUID, set[str]] = defaultdict(set)
    for event in books.events:
        states[event["order_id"]].add(event["state"])
    done = [refund["order_id"] for refund in books.order_refunds if refund["state"] == "done"]
    found = []
    mine = [mail for mail in books.mails if mail.order in orders]
    for mail in mine:
        order = orders[mail.order]
        true = {
            "placed": True,
            "paid": "paid" in states[order["id"]],
            "shipped": "shipped" in states[order["id"]],
            "cancelled": order["state"] in OVER and not order["captured"],
            "refunded": order["state"] in OVER and 0 < order["captured"] == order["refunded"],
            "part": order["id"] in done,
        }[mail.kind]
        if not true or mail.to != order["email"]:
            found.append(f"{mail.to} was told {mail.kind}: order {order['id']} is {order['state']}")
    return _figure("every mail's fact is true", mine, found)


def _mails_are_there(books: Books) -> Figure:
    told = Counter((mail.order, mail.kind) for mail in books.mails)
    done = Counter(refund["order_id"] for refund in books.order_refunds if refund["state"] == "done")
    found = []
    for order in books.orders:
        end = "paid" if order["state"] in KEPT else "refunded" if order["captured"] else "cancelled"
        if order["state"] in KEPT | OVER and (order["number"], end) not in told:
            found.append(f"nobody told {order['email']} that the order is {order['state']}")
        if told[order["number"], "part"] < done[order["id"]]:
            found.append(f"nobody told {order['email']} of a refund")
    return _figure("everybody is told how it ended", books.orders, found)
