"""Sends the mails that the outbox holds: one that is refused for good is dropped, any other is tried again.

What a mail says is found out when it is sent, by the service's writer: the outbox keeps as little of people as can be.
"""

import asyncio
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib

from services.chassis.errors import Problem
from services.chassis.mail.delivery import Deliver, refused_for_good, reply_code
from services.chassis.outbox.decisions import Answer
from services.chassis.outbox.store import OutboxMessage

AGGREGATE = "mail:"
"""Of a mail's message, before its id: none waits for another."""
_GIVEN_UP_AFTER = 3 * 86400
"""Seconds: a weekend on which nobody looks after the mail server. What is older would be news to nobody."""

Write = Callable[[OutboxMessage], Awaitable[EmailMessage | None]]
"""The letter, as things are now; None where there is nothing left to say. Raises ValueError where none can be."""


class MailTarget:
    """`clock` gives Unix seconds."""

    batch = 4
    look_every = 1.0
    longest_delay = 600.0
    """A server that puts off one mailbox is not asked each half minute for days."""
    longest_try = 15.0
    """Less than the outbox allows: what it breaks off itself is tried for ever, however old."""

    def __init__(self, write: Write, deliver: Deliver, *, clock: Callable[[], float]) -> None:
        self._write = write
        self._deliver = deliver
        self._clock = clock

    async def __call__(self, message: OutboxMessage) -> tuple[Answer, str]:
        try:
            async with asyncio.timeout(self.longest_try):
                return await self._sent(message)
        except Exception as fault:
            # What a server says may quote the address; its code does not.
            cause = f"{type(fault).__name__} {reply_code(fault) or ''}".rstrip()
            too_old = self._clock() - message.created_at.timestamp() > _GIVEN_UP_AFTER
            if refused_for_good(fault) or too_old:
                return Answer.HOPELESS, cause
            if not isinstance(fault, OSError | aiosmtplib.SMTPException | Problem):
                raise
            return Answer.NOT_NOW, cause

    async def _sent(self, message: OutboxMessage) -> tuple[Answer, str]:
        try:
            letter = await self._write(message)
        except ValueError as fault:  # a kind of another release, or no address to write to
            return Answer.HOPELESS, f"not written: {type(fault).__name__}"
        if letter is None:
            return Answer.TAKEN, ""
        letter["Date"] = formatdate()
        # The same at each try: mailboxes may know by it that they have the mail already (RFC 5322 §3.6.4).
        letter["Message-ID"] = f"<{message.aggregate.removeprefix(AGGREGATE)}@gatehouse.example>"
        await self._deliver(letter)
        return Answer.TAKEN, ""
