"""What the application needs of the outside: the provider, and the store."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.payment.application.record import Dispute, Record
from services.payment.domain.calls import Call
from services.payment.domain.ledger import Movement
from services.payment.domain.payments import Session
from services.payment.domain.refunds import RefundState

# ----- The provider


class ProviderError(Exception):
    """
    ProviderError
    ├── Refused             the provider understood the call and will not do it
    ├── UnknownOutcome      no answer: the call may be repeated under its key
    │   └── ServerError     a 5xx, which the provider may have saved under the key: look before repeating
    └── ProviderUnavailable nothing was done, or nothing was to be changed
    """


class Refused(ProviderError):  # noqa: N818
    """`code` is the provider's word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UnknownOutcome(ProviderError):  # noqa: N818
    pass


class ServerError(UnknownOutcome):
    pass


class ProviderUnavailable(ProviderError):  # noqa: N818
    pass


@dataclass(frozen=True, slots=True)
class SeenRefund:
    """`id` is the provider's; `ours` the refund's own id, where we made it."""

    id: str
    ours: UUID | None
    amount: int
    state: RefundState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SeenPayment:
    """What the provider says of one charge. Amounts in our minor units. `order` as we told it when we made the page."""

    id: str
    order: UUID | None
    authorised: int
    captured: int
    refunded: int
    cancelled: bool
    currency: str
    refunds: tuple[SeenRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenSession:
    """`url` is where the shopper pays, while it is open."""

    id: str
    session: Session
    url: str | None
    payment: SeenPayment | None


@dataclass(frozen=True, slots=True)
class SessionRequest:
    order: UUID
    attempt: int
    amount: int
    currency: str
    reference: str
    email: str | None
    lang: str
    return_url: str
    cancel_url: str
    expires_at: datetime


class Provider(Protocol):
    """Every call is done within a few seconds or raises a ProviderError. `key` makes repeats one call.

    What is answered is what the provider says is so, never what was asked of it.
    """

    name: str

    async def create_session(self, request: SessionRequest, key: str) -> SeenSession: ...

    async def find_session(self, order: UUID, attempt: int, since: datetime) -> SeenSession | None:
        """The page that was made for this attempt after `since`, if there is one."""

    async def get_session(self, id_: str) -> SeenSession:
        """With its payment, refunds and disputes as they are now."""

    async def expire_session(self, id_: str) -> None:
        """Nobody can pay on it afterwards. Raises Refused where it is not open any more."""

    async def capture(self, id_: str, key: str) -> SeenPayment:
        """The whole amount. The charge as it was after it, refunds summed only. Raises Refused."""

    async def cancel(self, id_: str, key: str) -> SeenPayment:
        """Gives the promised money up. As `capture`. Raises Refused, also where it was collected."""

    async def refund(self, id_: str, refund: UUID, amount: int, currency: str, key: str) -> None:
        """Raises Refused."""

    def payments(self, since: datetime, until: datetime) -> AsyncIterator[SeenPayment]:
        """Every charge that was begun in [since, until), refunds summed only."""


# ----- The store


@dataclass(frozen=True, slots=True)
class Booking:
    """One movement of the provider's books, named by the provider's own id of it."""

    movement: Movement
    provider_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class BookedPayment:
    """By the ledger: what was collected and given back of one charge. `amount`: what its order comes to; `pending`: the
    sum of refunds that are under way, which the provider may count already."""

    intent: str
    order: UUID
    captured: int
    refunded: int
    amount: int
    pending: int = 0


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    movement: Movement
    provider_id: str
    account: str
    amount: int
    at: datetime


class Payments(Protocol):
    """Payments with their refunds and disputes. `locked`, and what changes what it gave, belong into `transaction`."""

    def transaction(self) -> AbstractAsyncContextManager[Any]: ...

    async def add(self, record: Record) -> bool:
        """False, and nothing, where the order has a payment already; else it is locked as by `locked`."""

    async def add_with_call(self, record: Record, name: str) -> tuple[Record, Call] | None:
        """Adds it with its first call written down. None, and nothing, where the order has a payment already."""

    async def locked(self, order: UUID) -> Record | None:
        """As it is, and nobody else changes it until the transaction ends."""

    async def get(self, order: UUID) -> Record | None: ...

    async def save(
        self, record: Record, was: Record | None, bookings: Sequence[Booking] = (), *, ask: bool = False
    ) -> None:
        """Writes it, books what is not booked yet, and tells the order where what it sees has changed.

        `ask`: and has the provider called in the background, for what is to be done.
        """

    async def replace(
        self, record: Record, was: Record, bookings: Sequence[Booking] = (), *, ask: bool = False
    ) -> Record | None:
        """As `save`, all at once and without a lock. None, and nothing, where it is no longer as `was` was read."""

    async def ask_provider(self, order: UUID) -> None:
        """Has the provider asked in the background how it is."""

    async def begin(self, name: str, record: Record) -> Call | None:
        """As `call`; None, and nothing, where the payment is no longer as `record` was read."""

    async def call(self, name: str, order: UUID) -> Call:
        """The call of this name, written down now where it is new."""

    async def call_failed(self, call: Call) -> None:
        """A 5xx answered it."""

    async def next_round(self, call: Call) -> Call:
        """Under the next key: it was looked for, and it is not there."""

    async def ledger(self, order: UUID) -> Sequence[LedgerEntry]: ...

    async def booked(self, intents: Sequence[str]) -> dict[str, BookedPayment]: ...
