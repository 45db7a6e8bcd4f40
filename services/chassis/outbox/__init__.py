"""The outbox: a change that somebody else must hear of is written down in the change's own transaction, and delivered
until the other side has acknowledged it: to a service over HTTP, or to what else a service calls a target. At least
once, in order for each aggregate.

`put` belongs into the transaction; `Delivery` runs beside the service; the receiver must find repeats harmless. A
repeat may even arrive after later messages (an attempt that timed out here goes on over there): each has its
number.
"""

from services.chassis.outbox.decisions import Answer
from services.chassis.outbox.delivery import Delivery
from services.chassis.outbox.message_sequence import (
    FORMER_HEADER,
    MESSAGE_SEQUENCE_HEADER,
    PROVIDE_SEQUENCE,
    MessageSequence,
)
from services.chassis.outbox.store import NewMessage, OutboxMessage, OutboxStore, put, put_all
from services.chassis.outbox.targets import HttpTarget, StepTarget, Take, Target

__all__ = [
    "FORMER_HEADER",
    "MESSAGE_SEQUENCE_HEADER",
    "PROVIDE_SEQUENCE",
    "Answer",
    "Delivery",
    "HttpTarget",
    "MessageSequence",
    "NewMessage",
    "OutboxMessage",
    "OutboxStore",
    "StepTarget",
    "Take",
    "Target",
    "put",
    "put_all",
]
