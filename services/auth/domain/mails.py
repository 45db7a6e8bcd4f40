"""auth's mails, as the outbox holds them: no secret, and no more of their readers than cannot be looked up later."""

from dataclasses import dataclass
from enum import StrEnum, auto
from uuid import UUID

from services.auth.domain.accounts import Account

_NOBODY = UUID(int=0)


class Kind(StrEnum):
    PASSWORD_RESET = auto()
    PASSWORD_CHANGED = auto()
    EMAIL_CONFIRMATION = auto()
    """The account has this address; is it yours?"""
    EMAIL_CHANGE = auto()
    """The account is to move to this address; is it yours?"""
    EMAIL_CHANGE_REQUESTED = auto()
    """For the present address: somebody with the password asked for another one."""
    EMAIL_CHANGED = auto()
    """For the former address: the account has left it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailMessage:
    """`to`: the address that the mail is for; empty where that is found out when it is sent."""

    id: UUID
    kind: Kind
    account: UUID
    language: str
    to: str = ""


def message(
    id_: UUID, kind: Kind, account: Account | None, language: str, to: str | None = None
) -> MailMessage:
    """The message for a mail about the account as it is after the change; None is nobody's, of which no mail comes.

    `to`: another address than the account's.
    """
    if account is None:
        return MailMessage(id=id_, kind=kind, account=_NOBODY, language=language)
    if kind is Kind.PASSWORD_RESET:
        return MailMessage(id=id_, kind=kind, account=account.id, language=language)
    whom = account.email if to is None else to
    return MailMessage(id=id_, kind=kind, account=account.id, language=language, to=whom)


def recipient(message: MailMessage, account: Account | None) -> str | None:
    """Whom the mail goes to, from how the account is by now; None where there is nothing left to say.

    A link goes only to an address that it is still for. A notice goes to whom the change concerned, whatever became of
    the account before the mail server was back.
    """
    if account is None or account.erased:
        return None
    match message.kind:
        case Kind.PASSWORD_RESET:
            return account.email if account.active else None
        case Kind.EMAIL_CONFIRMATION:
            return message.to if account.email == message.to and not account.email_verified else None
        case Kind.EMAIL_CHANGE:
            return message.to if account.active and account.pending_email == message.to else None
        case Kind.PASSWORD_CHANGED | Kind.EMAIL_CHANGE_REQUESTED:
            return message.to
        case Kind.EMAIL_CHANGED:
            return None if account.email == message.to else message.to
