"""What a provider's webhook says: only that something is to be looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.payment.application.ports import Payments


@dataclass(frozen=True, slots=True)
class Event:
    """`order` and `objects` (ids of the provider's pages and charges) are hints of what it may be about.

    `news`: events of its type can tell what our own calls did not.
    """

    id: str
    type: str
    order: UUID | None
    objects: tuple[str, ...]
    news: bool = True


class Webhooks(Protocol):
    provider: str

    def event(self, body: bytes, signature: str | None) -> Event:
        """What the provider sent, if it is the provider's. Raises WebhooksClosed, UnsignedWebhook."""


class EventLog(Protocol):
    async def add(self, provider: str, event: Event, order: UUID | None, now: datetime) -> bool:
        """False where it was heard before."""

    async def order_of(self, event: Event) -> UUID | None:
        """The order whose payment it may be about, if there is one."""


class EventService:
    def __init__(self, events: EventLog, payments: Payments, now: Callable[[], datetime]) -> None:
        self._events = events
        self._payments = payments
        self._now = now

    async def hear(self, provider: str, event: Event) -> bool:
        """Whether it is new. Writes it down and, where it may be news, has the provider asked.

        Nothing in it is taken for true.
        """
        async with self._payments.transaction():
            order = await self._events.order_of(event)
            new = await self._events.add(provider, event, order, self._now())
            if new and event.news and order is not None:
                await self._payments.ask_provider(order, refresh=True)
        return new
