"""What a mail says that was asked for earlier: found out, and its link made, when it is sent."""

from dataclasses import dataclass

from services.auth.application.mailed_links import MailedLinks
from services.auth.application.ports import Accounts
from services.auth.domain.accounts import Account
from services.auth.domain.mails import Kind, MailMessage, addressed


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    accounts: Accounts
    links: MailedLinks

    async def __call__(self, message: MailMessage) -> tuple[Account, str] | None:
        """The account as the mail is to speak of it, and the secret of its link, empty where it has none.

        None where there is nothing left to say, as where the link was used: then its mail has arrived. The same message
        has the same secret, however often it is tried.
        """
        account = addressed(message, await self.accounts.by_id(message.account))
        if account is None:
            return None
        secret = await self._secret(message, account)
        return None if secret is None else (account, secret)

    async def _secret(self, message: MailMessage, account: Account) -> str | None:
        match message.kind:
            case Kind.PASSWORD_RESET:
                return await self.links.to_reset(account, message.id)
            case Kind.EMAIL_CONFIRMATION:
                return await self.links.to_confirm(account, message.id)
            case Kind.EMAIL_CHANGED:
                return await self.links.to_take_back(account, message.id)
            case Kind.PASSWORD_CHANGED:
                return ""
