"""What a provider's webhook says: only that something is to be looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


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
    async def add(self, provider: str, event: Event, now: datetime, *, ask: bool) -> bool:
        """Writes it down, all at once with what follows. False, and nothing, where it was heard before.

        `ask`: has the provider asked about the payment that it may be about, if there is one.
        """


class EventService:
    def __init__(self, events: EventLog, now: Callable[[], datetime]) -> None:
        self._events = events
        self._now = now

    async def hear(self, provider: str, event: Event) -> bool:
        """Whether it is new. Writes it down and, where it may be news, has the provider asked.

        Nothing in it is taken for true.
        """
        return await self._events.add(provider, event, self._now(), ask=event.news)
