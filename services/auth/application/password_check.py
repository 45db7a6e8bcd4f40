"""The password, asked for again of somebody who is signed in: an access token alone does not change an account."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.auth.application.login_guard import LoginGuard
from services.auth.application.login_service import Client
from services.auth.application.ports import Audit, HashingTurn
from services.auth.domain import passwords
from services.auth.domain.accounts import Account
from services.auth.domain.errors import WrongPassword
from services.auth.domain.throttling import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCheck:
    guard: LoginGuard
    audit: Audit

    @asynccontextmanager
    async def passed(
        self, account: Account, password: str, client: Client, event: str, more: Sequence[Subject] = ()
    ) -> AsyncIterator[HashingTurn]:
        """A place to hash in, for who gave the account's password. `event` is audited where it was wrong; `more` has to
        wait as well. Raises WrongPassword, TryLater, Overloaded.
        """
        # One count for all that asks for it: a stolen access token must not become a way to guess without limit.
        subject = (Subject(f"change:{account.id}", self.guard.limits.account),)
        async with self.guard.passed(client.address, (*subject, *more)) as turn:
            if not await turn.verify(account.password_hash, passwords.normalise(password)):
                await self.guard.failed(subject)
                self.audit.record(event, account=account.id, address=client.address)
                raise WrongPassword
            yield turn
        await self.guard.throttle.forget(subject)
