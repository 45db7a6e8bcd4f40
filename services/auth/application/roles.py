"""Granting a role: the operator's act, there is no call for it."""

from dataclasses import dataclass

from services.auth.application.ports import Accounts, Audit
from services.auth.domain.accounts import Account, lookup_email


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    accounts: Accounts
    audit: Audit

    async def grant(self, email: str, role: str) -> Account:
        """Tokens have the role from their next refresh. Raises UnknownAccount, UnknownRole."""
        account = await self.accounts.add_role(lookup_email(email), role)
        self.audit.record("role_granted", account=account.id, role=role)
        return account
