"""Orders mails through the outbox: stored with the change that they tell of, sent until a mail server takes them."""

import logging
from uuid import UUID, uuid4

import msgspec

from services.auth.domain import mails
from services.auth.domain.accounts import Account
from services.auth.domain.mails import Kind, MailOrder
from services.chassis import outbox
from services.chassis.postgres import Database

MAIL, CONFIRMATION = "mail", "confirmation"
"""The outbox's targets: mails that anybody can have sent, by registering, are never before all others."""
_WAITING = 10_000
"""Mails to each target. What comes in a flood while the mail server is down must not fill the disk."""

_log = logging.getLogger(__name__)


class _Body(msgspec.Struct, frozen=True, omit_defaults=True):
    account: UUID
    to: str = ""


class OutboxMail:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def order(self, kind: Kind, account: Account | None) -> None:
        mail = mails.order(uuid4(), kind, account)
        written = await outbox.put(
            self._database,
            aggregate=f"mail:{mail.id}",  # its own: no mail waits for another
            target=CONFIRMATION if kind is Kind.EMAIL_CONFIRMATION else MAIL,
            method="SEND",
            path=f"/{kind}",
            body=_Body(account=mail.account, to=mail.to),
            most=_WAITING,
        )
        if not written:
            _log.error("mail dropped: too many wait", extra={"kind": kind})


def read(order: outbox.Order) -> MailOrder:
    """Raises ValueError where it is of a kind that this release does not know."""
    body = msgspec.json.decode(order.body, type=_Body)
    return MailOrder(
        id=UUID(order.aggregate.removeprefix("mail:")),
        kind=Kind(order.path.removeprefix("/")),
        account=body.account,
        to=body.to,
    )
