"""Where messages go. A service's app.py names its targets; each has the messages that were written to its name."""

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from common import header_names
from common.http_client import Answer as HttpAnswer
from common.http_client import CallFailed, HttpClient
from services.chassis.outbox import decisions
from services.chassis.outbox.decisions import Answer
from services.chassis.outbox.message_sequence import FORMER_HEADER, MESSAGE_SEQUENCE_HEADER
from services.chassis.outbox.store import OutboxMessage

CALL_TIMEOUT_S = 3.0


class Target(Protocol):
    """`batch`: messages under way at once, by each replica. `look_every`: seconds between looks for those that are due
    again, or that another replica left; new ones wait for none. `longest_delay`: seconds between two tries of one."""

    batch: int
    look_every: float
    longest_delay: float

    async def __call__(self, message: OutboxMessage) -> tuple[Answer, str]:
        """Tries it once; what came of it and, unless it was taken, why: for logs and operators, so not personal.

        Whatever it raises is NOT_NOW. Takes no part in the transaction that holds the message meanwhile.
        """


class HttpTarget:
    """A service: a message is a call of `base` (a URL without trailing slash) with the internal key."""

    batch = 16
    look_every = 0.3
    longest_delay = 30.0

    def __init__(self, client: HttpClient, base: str, *, internal_key: str) -> None:
        self._client = client
        self._base = base
        self._internal_key = internal_key

    async def __call__(self, message: OutboxMessage) -> tuple[Answer, str]:
        try:
            answer = await self._call(message)
        except CallFailed as fault:
            return Answer.NOT_NOW, str(fault)
        return decisions.answer(answer.status), _said(answer)

    async def _call(self, message: OutboxMessage) -> HttpAnswer:
        headers = {
            header_names.INTERNAL_KEY: self._internal_key,
            MESSAGE_SEQUENCE_HEADER: str(message.id),
            FORMER_HEADER: str(message.id),
            "Content-Type": "application/json",
        }
        if message.request_id:
            headers[header_names.REQUEST_ID] = message.request_id
        return await self._client.call(
            message.method,
            self._base + message.path,
            timeout=CALL_TIMEOUT_S,
            headers=headers,
            body=message.body,
        )


Take = Callable[[OutboxMessage, int, bytes], Awaitable[None]]
"""Does what follows from an answer (its status and body), in the transaction at hand or one of its own. Raises
ValueError for one that is not what was agreed on."""


class StepTarget(HttpTarget):
    """A service whose answer says how something goes on here. The message is delivered when the answer is taken.

    A crash between the two repeats the call, so both must find repeats harmless. Taking may be part of the transaction
    that holds the message: then it is undone with it unless the message was TAKEN. `outcomes` are the statuses beside
    2xx that are an answer and no refusal.
    """

    def __init__(
        self,
        client: HttpClient,
        base: str,
        *,
        internal_key: str,
        take: Take,
        outcomes: Collection[int] = (),
    ) -> None:
        super().__init__(client, base, internal_key=internal_key)
        self._take = take
        self._outcomes = frozenset(outcomes)

    async def __call__(self, message: OutboxMessage) -> tuple[Answer, str]:
        try:
            answer = await self._call(message)
        except CallFailed as fault:
            return Answer.NOT_NOW, str(fault)
        made = decisions.answer(answer.status)
        if made is not Answer.TAKEN and answer.status not in self._outcomes:
            return made, _said(answer)
        try:
            await self._take(message, answer.status, answer.body)
        except ValueError as fault:
            return Answer.REFUSED, f"the answer is not as agreed: {str(fault)[:200]}"
        return Answer.TAKEN, ""


def _said(answer: HttpAnswer) -> str:
    return f"status {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}"
