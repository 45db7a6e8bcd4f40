"""Sends the mails that the outbox holds: one that is refused for good is dropped, any other is tried again."""

import asyncio
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib

from services.auth.adapters import mail_messages
from services.auth.adapters.letters import Letters
from services.auth.adapters.mail_delivery import Deliver, refused_for_good, reply_code
from services.auth.application.mailing import Mailing
from services.auth.domain.accounts import Account
from services.auth.domain.mails import Kind, MailMessage
from services.chassis.errors import Problem
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
        self, mailing: Mailing, letters: Letters, deliver: Deliver, *, clock: Callable[[], float]
    ) -> None:
        self._mailing = mailing
        self._letters = letters
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
        mail = mail_messages.read(message)
        meant = await self._mailing(mail)
        if meant is None:
            return Answer.TAKEN, ""
        try:
            letter = self._written(mail, *meant)
        except ValueError as fault:  # no address to write to
            return Answer.HOPELESS, f"not written: {type(fault).__name__}"
        await self._deliver(letter)
        return Answer.TAKEN, ""

    def _written(self, mail: MailMessage, account: Account, secret: str) -> EmailMessage:
        letter = self._letter(mail.kind, account, secret)
        letter["Date"] = formatdate()
        # The same at each try: mailboxes may know by it that they have the mail already (RFC 5322 §3.6.4).
        letter["Message-ID"] = f"<{mail.id}@gatehouse.example>"
        return letter

    def _letter(self, kind: Kind, account: Account, secret: str) -> EmailMessage:
        match kind:
            case Kind.PASSWORD_RESET:
                return self._letters.password_reset(account, secret)
            case Kind.PASSWORD_CHANGED:
                return self._letters.password_changed(account)
            case Kind.EMAIL_CHANGED:
                return self._letters.email_changed(account, secret)
            case Kind.EMAIL_CONFIRMATION:
                return self._letters.email_confirmation(account, secret)
