"""The outbox' target that calls the provider: what a message is about is found in the database when it is its turn."""

from uuid import UUID

import msgspec

from services.chassis.errors import Unavailable
from services.chassis.outbox import Answer, OutboxMessage
from services.payment.adapters.payment_messages import Wanted
from services.payment.application.advancing import AdvancingService, Stuck
from services.payment.application.ports import ProviderError, Refused


class ProviderTarget:
    """An outage of the provider is waited for. What it refuses is parked after a few tries, for a person to see."""

    batch = 4
    look_every = 1.0
    longest_delay = 10.0

    def __init__(self, advancing: AdvancingService) -> None:
        self._advancing = advancing

    async def __call__(self, message: OutboxMessage) -> tuple[Answer, str]:
        refresh = msgspec.json.decode(message.body, type=Wanted).refresh
        try:
            await self._advancing.advance(UUID(message.path.rpartition("/")[2]), refresh=refresh)
        except (Refused, Stuck) as fault:
            return Answer.REFUSED, f"{type(fault).__name__}: {fault}"
        except ProviderError as fault:
            return Answer.NOT_NOW, f"{type(fault).__name__}: {fault}"
        except Unavailable as fault:
            return Answer.NOT_NOW, fault.detail
        return Answer.TAKEN, ""
