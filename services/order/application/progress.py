"""The one way in which an order's state changes: an event, the table's decision, and what follows, in one transaction.

The order's row is a compare-and-set: of two events at once, the second is decided again on what the first made of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.order.application.ports import Messages, Orders, UnitOfWork
from services.order.domain.errors import RequestRefused, Stale, UnknownOrder
from services.order.domain.orders import Occurrence
from services.order.domain.states import Event, State
from services.order.domain.transitions import Ignored, Refused, decide

Versions = frozenset[int] | None
"""The versions that the caller is ready to change; None is any."""

_TRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    orders: Orders
    messages: Messages
    work: UnitOfWork
    clock: Callable[[], datetime]

    async def apply(
        self, id_: UUID, event: Event, *, actor: str = "", note: str = "", versions: Versions = None
    ) -> State:
        """The order's state afterwards; a fact that changes nothing is no fault.

        Raises UnknownOrder, RequestRefused for a request that does not fit, Stale where the order is at no version of
        `versions`.
        """
        async with self.work.transaction():
            for _ in range(_TRIES):
                standing = await self.orders.standing(id_)
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
                now = self.clock()
                line = Occurrence(
                    at=now, event=event.value, state=decision.state.value, actor=actor, note=note
                )
                if not await self.orders.move(id_, standing.version, decision, line):
                    continue  # somebody else was faster; what he made of it decides
                for command in decision.commands:
                    await self.messages.send(id_, command)
                return decision.state
        raise Stale
