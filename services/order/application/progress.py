"""The one way in which an order's state changes: an event, the table's decision, and what follows, in one transaction.

The order's row is a compare-and-set: of two events at once, the second is decided again on what the first made of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.order.application.ports import Messages, Orders, Standing, UnitOfWork
from services.order.domain.errors import RequestRefused, Stale, UnknownOrder
from services.order.domain.orders import Occurrence
from services.order.domain.states import Event, State
from services.order.domain.transitions import Ignored, Refused, Transition, decide

Versions = frozenset[int] | None
"""The versions that the caller is ready to change; None is any."""

_TRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressService:
    orders: Orders
    messages: Messages
    work: UnitOfWork
    clock: Callable[[], datetime]

    async def apply(
        self,
        id_: UUID,
        event: Event,
        *,
        actor: str = "",
        note: str = "",
        versions: Versions = None,
        known: Standing | None = None,
    ) -> State:
        """The order's state afterwards; a fact that changes nothing is no fault. `known`: where the order stood when
        the caller read it, just now.

        Raises UnknownOrder, RequestRefused for a request that does not fit, Stale where the order is at no version of
        `versions`.
        """
        for _ in range(_TRIES):
            standing = known or await self.orders.standing(id_)
            known = None
            if standing is None:
                raise UnknownOrder
            if versions is not None and standing.version not in versions:
                raise Stale
            decision = decide(standing.state, event, standing.reason)
            if isinstance(decision, Ignored):
                return standing.state
            if isinstance(decision, Refused):
                raise RequestRefused(standing.state.value)
            if decision.state is standing.state and not decision.commands:
                return standing.state
            line = Occurrence(
                at=self.clock(), event=event.value, state=decision.state.value, actor=actor, note=note
            )
            if await self._move(id_, standing.version, decision, line):
                return decision.state
            # Somebody else was faster; what he made of it decides.
        raise Stale

    async def _move(self, id_: UUID, version: int, transition: Transition, line: Occurrence) -> bool:
        if not transition.commands:
            return await self.orders.move(id_, version, transition, line)
        async with self.work.transaction():
            order = await self.orders.moved(id_, version, transition, line)
            if order is not None:
                await self.messages.send(id_, transition.commands, order)
        return order is not None
