"""Writes the letter of a mail that the outbox holds, as accounts and links are when it is sent."""

from email.message import EmailMessage

from services.auth.adapters import mail_messages
from services.auth.adapters.email_templates import EmailTemplates
from services.auth.application.mailing import Mailing
from services.chassis.outbox import OutboxMessage


class MailWriter:
    def __init__(self, mailing: Mailing, templates: EmailTemplates) -> None:
        self._mailing = mailing
        self._templates = templates

    async def __call__(self, message: OutboxMessage) -> EmailMessage | None:
        """None where there is nothing left to say. Raises ValueError where there is no address to write to, and
        LookupError for a kind of a later release, which waits for it.
        """
        try:
            queued = mail_messages.read(message)
        except ValueError as fault:
            raise LookupError(f"a mail that this release does not know: {fault}") from fault
        mail = await self._mailing(queued)
        return None if mail is None else self._templates.written(mail)
