"""Sends the mails that the outbox holds: one that is refused for good is dropped, any other is tried again."""

import asyncio
from collections.abc import Callable
from email.utils import formatdate

import aiosmtplib

from services.auth.adapters import mail_messages
from services.auth.adapters.email_templates import EmailTemplates
from services.auth.application.mailing import Mailing
from services.chassis.errors import Problem
from services.chassis.mail.delivery import Deliver, refused_for_good, reply_code
from services.chassis.outbox import Answer, OutboxMessage
from services.chassis.redis import REFUSALS as REDIS_REFUSALS

_GIVEN_UP_AFTER = 3 * 86400
"""Seconds: a weekend on which nobody looks after the mail server. What is older would be news to nobody."""
_OUTAGES = (OSError, aiosmtplib.SMTPException, Problem, *REDIS_REFUSALS)


class MailTarget:
    batch = 4
    look_every = 1.0
    longest_delay = 600.0
    """A server that puts off one mailbox is not asked each half minute for days."""
    longest_try = 15.0
    """Less than the outbox allows: what it breaks off itself is tried for ever, however old."""

    def __init__(
        self, mailing: Mailing, templates: EmailTemplates, deliver: Deliver, *, clock: Callable[[], float]
    ) -> None:
        self._mailing = mailing
        self._templates = templates
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
            if not isinstance(fault, _OUTAGES):
                raise
            return Answer.NOT_NOW, cause

    async def _sent(self, message: OutboxMessage) -> tuple[Answer, str]:
        queued = mail_messages.read(message)
        mail = await self._mailing(queued)
        if mail is None:
            return Answer.TAKEN, ""
        try:
            letter = self._templates.written(mail)
            letter["Date"] = formatdate()
            # The same at each try: mailboxes may know by it that they have the mail already (RFC 5322 §3.6.4).
            letter["Message-ID"] = f"<{queued.id}@gatehouse.example>"
        except ValueError as fault:  # no address to write to
            return Answer.HOPELESS, f"not written: {type(fault).__name__}"
        await self._deliver(letter)
        return Answer.TAKEN, ""
