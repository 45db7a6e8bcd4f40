"""What shoppers want and what breaks meanwhile, all of it from one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

GOOD, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"
ROUND = 3.0
"""Seconds of a round: one thing breaks in it."""
PRODUCTS = 6
SCARCE = 2
"""So many of the products run out."""


class Kind(Enum):
    """Who comes how: through the gateway with a token, or through the front with cookies."""

    GUEST = "guest"
    MEMBER = "member"
    BROWSER = "browser"


class Twice(Enum):
    """How an order is placed."""

    ONCE = "once"
    DOUBLE_CLICK = "double click"
    """Two requests with one key."""
    TWO_TABS = "two tabs"
    """Two requests with a key each, for one cart."""
    BACK = "back"
    """Once more, with another key, after the answer."""


class Ending(Enum):
    """What the shopper, an administrator or the clock does with the order."""

    PAY = "pay"
    PAY_IN_TWO_TABS = "pay in two tabs"
    ASKED_FIRST = "the bank asks first"
    BAD_CARD_FIRST = "a bad card, then a good one"
    BAD_CARD = "a bad card, then given up"
    WALK_AWAY = "walks away from the page"
    CANCEL_UNPAID = "cancels unpaid"
    CANCEL_WHILE_PAYING = "cancels while paying"
    CANCEL_PAID = "cancels what is paid"
    EXPIRE_WHILE_PAYING = "the time is over while paying"
    REFUND_PART = "a part is given back"
    REFUND_TWICE = "two refunds and a cancellation at once"
    SHIP = "is sent and arrives"


_ENDINGS = {
    Ending.PAY: 8,
    Ending.PAY_IN_TWO_TABS: 3,
    Ending.ASKED_FIRST: 2,
    Ending.BAD_CARD_FIRST: 2,
    Ending.BAD_CARD: 2,
    Ending.WALK_AWAY: 2,
    Ending.CANCEL_UNPAID: 2,
    Ending.CANCEL_WHILE_PAYING: 4,
    Ending.CANCEL_PAID: 4,
    Ending.EXPIRE_WHILE_PAYING: 4,
    Ending.REFUND_PART: 3,
    Ending.REFUND_TWICE: 3,
    Ending.SHIP: 2,
}


@dataclass(frozen=True)
class Trip:
    """One order to be placed, not before its round. `basket`: units by the product's number."""

    number: int
    round: int
    basket: tuple[tuple[int, int], ...]
    twice: Twice
    ending: Ending


@dataclass(frozen=True)
class Shopper:
    """Goes on one trip after the other: each has one cart."""

    number: int
    kind: Kind
    trips: tuple[Trip, ...]


class How(Enum):
    KILL = "killed"
    PAUSE = "stopped"
    CUT = "cut off"


@dataclass(frozen=True)
class Fault:
    """`at` seconds into its round, for `lasts` seconds, unless it is a kill."""

    how: How
    victim: str
    at: float
    lasts: float


@dataclass(frozen=True)
class Plan:
    seed: int
    shoppers: tuple[Shopper, ...]
    faults: tuple[Fault, ...]
    units: tuple[int, ...]
    """In stock of each product at the start."""


KONG_WORKER = "a worker of kong"
_PARTS = (
    *("order", "catalog", "payment", "sandbox", "postgres", "redis"),
    *("token-validator", "idempotency", "kong", KONG_WORKER, "bff", "frontend_proxy"),
)
_WORTH = {KONG_WORKER: 2, "order": 4, "catalog": 3, "payment": 4, "sandbox": 3, "postgres": 3}
CUT = ("orders", "catalog", "payments", "provider", "webhooks")
"""Databases from their service, the provider from payment, its webhooks from the gateway."""


def plan(seed: int, orders: int, faults: int) -> Plan:
    chance = random.Random(seed)
    trips = [
        Trip(
            number,
            number * faults // orders if faults else 0,
            tuple(
                (product, chance.choice((1, 1, 2, 3)))
                for product in sorted(chance.sample(range(PRODUCTS), chance.choice((1, 1, 2, 3))))
            ),
            chance.choices(list(Twice), weights=(6, 2, 2, 1))[0],
            chance.choices(list(_ENDINGS), weights=list(_ENDINGS.values()))[0],
        )
        for number in range(orders)
    ]
    count = max(3, min(30, orders // 8))
    kinds = (Kind.GUEST, Kind.MEMBER, Kind.GUEST, Kind.BROWSER)
    shoppers = tuple(
        Shopper(number, kinds[number % len(kinds)], tuple(trips[number::count])) for number in range(count)
    )
    wanted = [sum(units for trip in trips for of, units in trip.basket if of == n) for n in range(PRODUCTS)]
    units = tuple(
        max(1, wanted[number] // 3) if number < SCARCE else wanted[number] + 10 for number in range(PRODUCTS)
    )
    return Plan(seed, shoppers, _faults(chance, faults), units)


def _faults(chance: random.Random, count: int) -> tuple[Fault, ...]:
    """Each way at least once in every dozen, if there are so many."""
    found = []
    weights = [_WORTH.get(part, 1) for part in _PARTS]
    for number in range(count):
        how = (How.KILL, How.CUT, How.KILL, How.PAUSE)[number % 4]
        victim = chance.choice(CUT) if how is How.CUT else chance.choices(_PARTS, weights)[0]
        found.append(Fault(how, victim, chance.uniform(0, ROUND / 2), chance.uniform(1, 5)))
    return tuple(found)
