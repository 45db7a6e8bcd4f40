"""The number that every delivered message carries, as a receiver's handler takes it: a parameter `sequence`, which
`dependencies={"sequence": PROVIDE_SEQUENCE}` fills."""

from typing import Annotated

from litestar.di import NamedDependency, Provide
from litestar.params import HeaderParameter

from services.chassis.errors import FieldError, InvalidInput

MESSAGE_SEQUENCE_HEADER = "X-Message-Sequence"
"""Of two messages about one aggregate, the later has the higher number."""
FORMER_HEADER = "X-Order-Number"
"""The name of it until 1.0. Sent and understood for one release more, for a rollout in which both versions run."""

_HIGHEST = 2**63 - 1

MessageSequence = NamedDependency[int | None]
"""None: a call that no outbox made."""


def _sequence(
    message_sequence: Annotated[
        int | None,
        HeaderParameter(
            name=MESSAGE_SEQUENCE_HEADER, ge=1, le=_HIGHEST, description="Later messages have higher numbers."
        ),
    ] = None,
    former_message_sequence: Annotated[
        int | None,
        HeaderParameter(
            name=FORMER_HEADER,
            ge=1,
            le=_HIGHEST,
            description=f"The former name of {MESSAGE_SEQUENCE_HEADER}.",
        ),
    ] = None,
) -> int | None:
    if (
        None not in (message_sequence, former_message_sequence)
        and message_sequence != former_message_sequence
    ):
        raise InvalidInput([FieldError.of(FORMER_HEADER, "invalid")])
    return message_sequence or former_message_sequence


PROVIDE_SEQUENCE = Provide(_sequence, sync_to_thread=False)
