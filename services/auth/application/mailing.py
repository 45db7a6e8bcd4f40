"""What a mail says that was ordered earlier: found out, and its link made, when it is sent."""

from dataclasses import dataclass

from services.auth.application.mailed_links import MailedLinks
from services.auth.application.ports import Accounts
from services.auth.domain.accounts import Account
from services.auth.domain.mails import Kind, MailOrder, addressed


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    accounts: Accounts
    links: MailedLinks

    async def __call__(self, order: MailOrder) -> tuple[Account, str] | None:
        """The account as the mail is to speak of it, and the secret of its link, empty where it has none.

        None where there is nothing left to say, as where the link was used: then its mail has arrived. The same order
        has the same secret, however often it is tried.
        """
        account = addressed(order, await self.accounts.by_id(order.account))
        if account is None:
            return None
        secret = await self._secret(order, account)
        return None if secret is None else (account, secret)

    async def _secret(self, order: MailOrder, account: Account) -> str | None:
        match order.kind:
            case Kind.PASSWORD_RESET:
                return await self.links.to_reset(account, order.id)
            case Kind.EMAIL_CONFIRMATION:
                return await self.links.to_confirm(account, order.id)
            case Kind.EMAIL_CHANGED:
                return await self.links.to_take_back(account, order.id)
            case Kind.PASSWORD_CHANGED:
                return ""
