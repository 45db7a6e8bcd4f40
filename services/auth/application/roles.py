"""Granting a role and taking it away: the operator's acts, there is no call for them."""

from dataclasses import dataclass

from services.auth.application.ports import Accounts, Audit, Clock, Revocations, Sessions, UnitOfWork
from services.auth.domain.accounts import Account, lookup_email


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    accounts: Accounts
    sessions: Sessions
    revocations: Revocations
    work: UnitOfWork
    audit: Audit
    clock: Clock

    async def grant(self, email: str, role: str) -> Account:
        """Tokens have the role from their next refresh. Raises UnknownAccount, UnknownRole."""
        account = await self.accounts.add_role(lookup_email(email), role)
        self.audit.record("role_granted", account=account.id, role=role)
        return account

    async def revoke(self, email: str, role: str) -> Account:
        """Ends all of the account's sessions, so that tokens with the role are refused at once.

        Idempotent: where the revocation log was down, the same again tells it. Raises UnknownAccount, UnknownRole.
        """
        now = self.clock()
        async with self.work.transaction():
            # First: a session that is opened or refreshed meanwhile has its roles from here.
            account = await self.accounts.remove_role(lookup_email(email), role)
            ended = await self.sessions.end_all(account.id, now)
        self.audit.record("role_revoked", account=account.id, role=role, sessions=ended.count)
        await self.revocations.tell(ended, now)
        return account
