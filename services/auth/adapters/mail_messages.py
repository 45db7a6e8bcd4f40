"""Mails as messages of the outbox: stored with the change that they tell of, sent until a mail server takes them."""

import logging
from uuid import UUID, uuid4

import msgspec

from common import languages
from services.auth.domain import mails
from services.auth.domain.accounts import Account
from services.auth.domain.mails import Kind, MailMessage
from services.chassis import outbox
from services.chassis.postgres import Database

MAIL, CONFIRMATION = "mail", "confirmation"
"""The outbox's targets: mails that anybody can have sent to whom they like are never before all others."""
_TO_STRANGERS = {Kind.EMAIL_CONFIRMATION, Kind.EMAIL_CHANGE}
_WAITING = 10_000
"""Mails to each target. What comes in a flood while the mail server is down must not fill the disk."""

_log = logging.getLogger(__name__)


class _Body(msgspec.Struct, frozen=True, omit_defaults=True):
    account: UUID
    to: str = ""
    language: str = languages.DEFAULT
    """Messages of earlier releases name none."""


class OutboxMail:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def enqueue(
        self, kind: Kind, account: Account | None, language: str, to: str | None = None
    ) -> None:
        mail = mails.message(uuid4(), kind, account, language, to)
        written = await outbox.put(
            self._database,
            aggregate=f"mail:{mail.id}",  # its own: no mail waits for another
            target=CONFIRMATION if kind in _TO_STRANGERS else MAIL,
            method="SEND",
            path=f"/{kind}",
            body=_Body(account=mail.account, to=mail.to, language=mail.language),
            most=_WAITING,
        )
        if not written:
            _log.error("mail dropped: too many wait", extra={"kind": kind})


def read(message: outbox.OutboxMessage) -> MailMessage:
    """Raises ValueError where it is of a kind that this release does not know."""
    body = msgspec.json.decode(message.body, type=_Body)
    return MailMessage(
        id=UUID(message.aggregate.removeprefix("mail:")),
        kind=Kind(message.path.removeprefix("/")),
        account=body.account,
        language=body.language,
        to=body.to,
    )
