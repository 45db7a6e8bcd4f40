"""What a mail says that was enqueued earlier: found out, and its link made, when it is sent."""

from dataclasses import dataclass, field

from services.auth.application.mailed_links import MailedLinks
from services.auth.application.ports import Accounts
from services.auth.domain.accounts import Account
from services.auth.domain.mails import Kind, MailMessage, recipient


@dataclass(frozen=True, slots=True)
class PreparedMail:
    """`account` as it is now; `secret` of the mail's link, empty where it has none."""

    kind: Kind
    language: str
    account: Account
    to: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    accounts: Accounts
    links: MailedLinks

    async def __call__(self, message: MailMessage) -> PreparedMail | None:
        """None where there is nothing left to say, as where the link was used: then its mail has arrived.

        The same message has the same secret, however often it is tried.
        """
        account = await self.accounts.by_id(message.account)
        to = recipient(message, account)
        if account is None or to is None:
            return None
        secret = await self._secret(message, account)
        return None if secret is None else PreparedMail(message.kind, message.language, account, to, secret)

    async def _secret(self, message: MailMessage, account: Account) -> str | None:
        match message.kind:
            case Kind.PASSWORD_RESET:
                return await self.links.to_reset(account, message.id)
            case Kind.EMAIL_CONFIRMATION:
                return await self.links.to_confirm(account, message.id)
            case Kind.EMAIL_CHANGE:
                return await self.links.to_change(account, message.to, message.id)
            case Kind.PASSWORD_CHANGED | Kind.EMAIL_CHANGE_REQUESTED | Kind.EMAIL_CHANGED:
                return ""
