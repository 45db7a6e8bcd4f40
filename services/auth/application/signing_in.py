"""Signing in: an address and a password become a session.

Unknown account, wrong password and disabled account take the same steps and the same time, and are refused in
the same words. The throttle is asked inside the hashing turn, so guesses sent at once cannot outrun it by
more than the few turns that there are.
"""

from dataclasses import dataclass

from services.auth.application.issuing import Issuer, TokenPair
from services.auth.application.ports import Accounts, Audit, Passwords, Sessions, Throttle
from services.auth.domain import passwords, throttling
from services.auth.domain.accounts import Account, lookup_email
from services.auth.domain.errors import TryLater, WrongCredentials
from services.auth.domain.sessions import Session
from services.auth.domain.throttling import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks, as far as the network shows: IP address and what the client calls itself."""

    address: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    accounts: Accounts
    sessions: Sessions
    hasher: Passwords
    throttle: Throttle
    limits: Limits
    issuer: Issuer
    audit: Audit

    async def __call__(self, email: str, password: str, client: Client) -> TokenPair:
        """Raises WrongCredentials, TryLater, Overloaded."""
        account, hash_ = await self._check(lookup_email(email), passwords.normalise(password), client)
        now = self.issuer.clock()
        session = Session.opened(
            self.issuer.uuid(), account.id, device=client.device, address=client.address, now=now
        )
        refresh = self.issuer.refresh_token(session.id)
        await self.sessions.open(session, refresh)
        # Disabling an account and changing its password end the sessions that exist; one that was being
        # opened meanwhile is found out here, since the change is stored before the sessions are ended.
        current = await self.accounts.by_id(account.id)
        if current is None or not current.active or current.password_hash != hash_:
            await self.sessions.end(session.id, now)
            raise WrongCredentials
        self.audit.record("login", account=account.id, session=session.id, address=client.address)
        return self.issuer.pair(current, session, refresh.text, now)

    async def _check(self, email: str, password: str, client: Client) -> tuple[Account, str]:
        who, where = throttling.account_key(email), throttling.network(client.address)
        familiar = await self.throttle.familiar(who, where)
        subjects = throttling.subjects(email, client.address, self.limits, familiar=familiar)
        async with self.hasher.turn() as turn:
            wait = await self.throttle.wait(subjects, self.issuer.clock())
            if wait:
                self.audit.record("login_throttled", account_key=who, address=client.address, seconds=wait)
                raise TryLater(wait)
            account = await self.accounts.by_email(email)
            matches = await turn.verify(account.password_hash if account else None, password)
            if account is None or not matches or not account.active:
                await self.throttle.failed(subjects, self.issuer.clock())
                self.audit.record("login_failed", account_key=who, address=client.address)
                raise WrongCredentials
            hash_ = account.password_hash
            if self.hasher.outdated(hash_):
                new = await turn.hash(password)
                if await self.accounts.replace_hash(account.id, new, expecting=hash_):
                    hash_ = new
        # The address's failures stay: else a guesser would clear them by signing in to an account of his own.
        await self.throttle.forget(subjects[:1])
        await self.throttle.remember(who, where)
        return account, hash_
