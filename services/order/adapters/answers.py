"""What catalog and payment answer to the order's messages, as events and facts of the order.

Each answer is taken in a transaction of its own. One that is not what was agreed on raises ValueError: it stays a
message that waits, for people to see.
"""

from uuid import UUID

import msgspec

from services.chassis.outbox import OutboxMessage
from services.order.application.progress import ProgressService
from services.order.application.refunding import RefundService
from services.order.domain import observations

OVER_REFUND = 409
"""Payment's answer to a refund of more than there is: an outcome, which no repeat changes."""


class _Stock(msgspec.Struct, frozen=True):
    state: str


class _Payment(msgspec.Struct, frozen=True):
    state: str


class _Refund(msgspec.Struct, frozen=True):
    state: str


class Answers:
    def __init__(self, progress: ProgressService, refunding: RefundService) -> None:
        self._progress = progress
        self._refunding = refunding

    async def of_catalog(self, message: OutboxMessage, status: int, body: bytes) -> None:
        state = msgspec.json.decode(body, type=_Stock).state
        if state not in observations.OF_STOCK:
            raise ValueError(f"catalog's reservation is {state[:40]!r}")
        await self._progress.apply(_order(message), observations.OF_STOCK[state])

    async def of_payment(self, message: OutboxMessage, status: int, body: bytes) -> None:
        if message.path.endswith("/refunds"):
            await self._of_refund(message, status, body)
            return
        if status == OVER_REFUND:
            raise ValueError("payment has the order with another amount")
        state = msgspec.json.decode(body, type=_Payment).state
        if state not in observations.OF_PAYMENT:
            raise ValueError(f"payment's state is {state[:40]!r}")
        event = observations.OF_PAYMENT[state]
        if event is not None:
            await self._progress.apply(_order(message), event)

    async def _of_refund(self, message: OutboxMessage, status: int, body: bytes) -> None:
        id_ = UUID(message.aggregate.rpartition(":")[2])
        state = "failed" if status == OVER_REFUND else msgspec.json.decode(body, type=_Refund).state
        if state not in {"pending", "done", "failed"}:
            raise ValueError(f"payment's refund is {state[:40]!r}")
        await self._refunding.settle(_order(message), id_, state)


def _order(message: OutboxMessage) -> UUID:
    """Aggregates are `order:{id}:…`."""
    return UUID(message.aggregate.split(":")[1])
