"""Takes over what the provider has of our orders and we have not, after payment was restored to an earlier moment.

The provider's list of pages is the source: each names its order and attempt, as it was told when the page was made.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.payment.application.observing import observed
from services.payment.application.ports import Payments, Provider
from services.payment.application.record import Record, Terms
from services.payment.domain.payments import Goal, Known, Payment


@dataclass(frozen=True, slots=True)
class FoundPage:
    """A page that we had made."""

    id: str
    order: UUID
    attempt: int
    terms: Terms


class Pages(Protocol):
    def pages(self, since: datetime) -> AsyncIterator[FoundPage]:
        """Every page of an order's that was made since then. Raises ProviderError."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """`adopted`: orders whose page was unknown; `asked`: known ones, which the provider is asked about anew."""

    adopted: tuple[UUID, ...]
    asked: int


class AdoptionService:
    def __init__(
        self, payments: Payments, provider: Provider, pages: Pages, now: Callable[[], datetime]
    ) -> None:
        self._payments = payments
        self._provider = provider
        self._pages = pages
        self._now = now

    async def adopt(self, since: datetime) -> Adopted:
        """Again is harmless. Raises ProviderError; what was adopted until then is kept."""
        found = [page async for page in self._pages.pages(since)]
        adopted = [page.order for page in sorted(found, key=_attempt) if await self._adopt(page)]
        return Adopted(tuple(adopted), len(found) - len(adopted))

    async def _adopt(self, page: FoundPage) -> bool:
        record = await self._payments.get(page.order)
        if record is not None and not _is_news(page, record):
            async with self._payments.transaction():
                await self._payments.ask_provider(page.order)
            return False
        seen = await self._provider.get_session(page.id)
        async with self._payments.transaction():
            await self._payments.add(self._new(page))
            present = await self._payments.locked(page.order)
            assert present is not None  # noqa: S101  # it was added above, if it was not there
            if not _is_news(page, present):
                return False
            begun = replace(
                present, attempt=page.attempt, session_id=page.id, session_url=None, intent=None
            ).with_known(Known())
            merged, bookings = observed(begun, seen)
            if merged.payment.known.captured:  # which only an order that wanted it has
                merged = replace(merged, payment=merged.payment.wanted(Goal.CAPTURE))
            await self._payments.save(replace(merged, updated_at=self._now()), present, bookings)
        return True

    def _new(self, page: FoundPage) -> Record:
        now = self._now()
        return Record(
            order=page.order,
            terms=page.terms,
            provider=self._provider.name,
            payment=Payment(amount=page.terms.amount),
            created_at=now,
            updated_at=now,
        )


def _is_news(page: FoundPage, record: Record) -> bool:
    """Whether it is a later page than the one that is known, or the first."""
    return page.attempt > record.attempt or (page.attempt == record.attempt and record.session_id is None)


def _attempt(page: FoundPage) -> int:
    return page.attempt
