"""Signing in: an address and a password become a session.

Unknown account, wrong password and disabled account take the same steps and the same time, and are refused in the
same words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common import languages
from services.auth.application.login_guard import LoginGuard
from services.auth.application.ports import Accounts, Audit, HashingTurn, Revocations, Sessions, UnitOfWork
from services.auth.application.token_issuer import TokenIssuer, TokenPair
from services.auth.domain import passwords, throttling
from services.auth.domain.accounts import Account, lookup_email
from services.auth.domain.errors import TryLater, WrongCredentials
from services.auth.domain.sessions import Session
from services.auth.domain.throttling import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks, as far as the network shows: IP address, what the client calls itself, and one of common.languages."""

    address: str
    device: str
    language: str = languages.DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginService:
    accounts: Accounts
    sessions: Sessions
    revocations: Revocations
    work: UnitOfWork
    guard: LoginGuard
    issuer: TokenIssuer
    audit: Audit

    async def __call__(self, email: str, password: str, client: Client) -> TokenPair:
        """Raises WrongCredentials, TryLater, Overloaded."""
        account, hash_ = await self._check(lookup_email(email), passwords.normalise(password), client)
        now = self.issuer.clock()
        session = Session.opened(
            self.issuer.uuid(), account.id, device=client.device, address=client.address, now=now
        )
        refresh = self.issuer.refresh_token(session.id)
        async with self.work.transaction():
            # Disabling an account and changing its password end its sessions in the transaction that changes it: they
            # have come first and are seen here, or wait until this session is there to be ended.
            current = await self.accounts.held(account.id)
            if current is None or not current.active or current.password_hash != hash_:
                raise WrongCredentials
            surplus = await self.sessions.open(session, refresh)
        await self.revocations.tell(surplus, now)
        self.audit.record("login", account=account.id, session=session.id, address=client.address)
        return self.issuer.pair(current, session, refresh.text, now)

    async def _check(self, email: str, password: str, client: Client) -> tuple[Account, str]:
        who, where = throttling.account_key(email), throttling.network(client.address)
        began = self.issuer.clock()
        familiar = await self.guard.throttle.familiar(who, where)
        subjects = throttling.subjects(email, client.address, self.guard.limits, familiar=familiar)
        try:
            async with self.guard.passed(client.address, subjects) as turn:
                account = await self._matching(email, password, subjects, turn)
                hash_ = await self._renewed(account, password, turn)
        except (TryLater, WrongCredentials) as refusal:
            event = "login_throttled" if isinstance(refusal, TryLater) else "login_failed"
            self.audit.record(event, account_key=who, address=client.address)
            raise
        # The address's failures stay: else a guesser would clear them by signing in to an account of his own.
        await self.guard.throttle.forget(subjects[:1])
        await self.guard.throttle.remember(who, where, began)
        return account, hash_

    async def _matching(
        self, email: str, password: str, subjects: Sequence[Subject], turn: HashingTurn
    ) -> Account:
        account = await self.accounts.by_email(email)
        matches = await turn.verify(account.password_hash if account else None, password)
        if account is None or not matches or not account.active:
            await self.guard.failed(subjects)
            raise WrongCredentials
        return account

    async def _renewed(self, account: Account, password: str, turn: HashingTurn) -> str:
        """The account's hash, made anew where its parameters are no longer ours."""
        if not self.guard.hasher.outdated(account.password_hash):
            return account.password_hash
        new = await turn.hash(password)
        if await self.accounts.replace_hash(account.id, new, expecting=account.password_hash):
            return new
        # Somebody was faster: another sign-in with the same password, or a change of it.
        current = await self.accounts.by_id(account.id)
        if current is None or not await turn.verify(current.password_hash, password):
            raise WrongCredentials
        return current.password_hash
