"""auth's mails, as the outbox holds them: no secret, and no more of their readers than cannot be looked up later."""

from dataclasses import dataclass, replace
from enum import StrEnum, auto
from uuid import UUID

from services.auth.domain.accounts import Account

_NOBODY = UUID(int=0)


class Kind(StrEnum):
    PASSWORD_RESET = auto()
    PASSWORD_CHANGED = auto()
    EMAIL_CHANGED = auto()
    EMAIL_CONFIRMATION = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailMessage:
    """`to`: the address that the mail is for; empty where that is found out when it is sent."""

    id: UUID
    kind: Kind
    account: UUID
    to: str = ""


def message(id_: UUID, kind: Kind, account: Account | None) -> MailMessage:
    """The message for a mail about the account as it is after the change; None is nobody's, of which no mail comes."""
    if account is None:
        return MailMessage(id=id_, kind=kind, account=_NOBODY)
    to = {Kind.PASSWORD_RESET: "", Kind.EMAIL_CONFIRMATION: account.email}.get(kind, account.recovery_email)
    return MailMessage(id=id_, kind=kind, account=account.id, to=to)


def addressed(message: MailMessage, account: Account | None) -> Account | None:
    """The account as the mail is to speak of it, from how it is by now; None where there is nothing left to say.

    A link goes where links go by now. A notice goes to whom the change concerned: who took an account over may have
    settled its new address before the mail server was back.
    """
    if account is None or account.erased:
        return None
    match message.kind:
        case Kind.PASSWORD_RESET:
            return account if account.active else None
        case Kind.EMAIL_CONFIRMATION:
            return account if account.email == message.to and not account.email_verified else None
        case Kind.PASSWORD_CHANGED:
            return replace(account, former_email=message.to)
        case Kind.EMAIL_CHANGED:
            # Moved back meanwhile, it would be told what is not so. A link for who gets no links by now opens nothing.
            return None if account.email == message.to else replace(account, former_email=message.to)
