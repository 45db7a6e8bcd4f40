"""The shop's books: every movement of money that the provider reports, once, in double entry. Pure.

Entries are only ever added; a mistake is corrected by another transaction. Of each transaction the entries sum to zero,
and the database refuses one that does not (a deferred constraint). Amounts above zero are debits.
"""

from dataclasses import dataclass
from enum import Enum


class Account(Enum):
    PROVIDER = "provider"
    """What the provider holds for the shop: its debits less its credits are to be paid out."""
    SALES = "sales"
    REFUNDS = "refunds"
    DISPUTES = "disputes"
    """What a bank took back after a cardholder objected."""


class Movement(Enum):
    CAPTURE = "capture"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    """A refund that the shopper's bank sent back."""
    DISPUTE = "dispute"
    DISPUTE_WON = "dispute_won"


@dataclass(frozen=True, slots=True)
class Entry:
    account: Account
    amount: int


_BOOKED = {
    Movement.CAPTURE: (Account.PROVIDER, Account.SALES),
    Movement.REFUND: (Account.REFUNDS, Account.PROVIDER),
    Movement.REFUND_FAILED: (Account.PROVIDER, Account.REFUNDS),
    Movement.DISPUTE: (Account.DISPUTES, Account.PROVIDER),
    Movement.DISPUTE_WON: (Account.PROVIDER, Account.DISPUTES),
}
"""The account that is debited and the one that is credited."""


def entries(movement: Movement, amount: int) -> tuple[Entry, Entry]:
    """The two entries of a movement of `amount` minor units. Raises ValueError unless it is above zero."""
    if amount <= 0:
        raise ValueError("a movement of money is above zero")
    debited, credited = _BOOKED[movement]
    return Entry(debited, amount), Entry(credited, -amount)
