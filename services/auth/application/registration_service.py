"""Registration: a new account, with the message to member and the mail that asks to confirm its address."""

from dataclasses import dataclass
from datetime import UTC, datetime

from services.auth.application.login_guard import LoginGuard
from services.auth.application.login_service import Client
from services.auth.application.ports import Accounts, Audit, Mail, UnitOfWork
from services.auth.application.token_issuer import TokenIssuer
from services.auth.domain import passwords, throttling
from services.auth.domain.accounts import Account, accepted_name, normalise_email
from services.auth.domain.errors import EmailTaken
from services.auth.domain.mails import Kind
from services.auth.domain.throttling import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationService:
    accounts: Accounts
    work: UnitOfWork
    guard: LoginGuard
    mail: Mail
    issuer: TokenIssuer
    audit: Audit

    async def prepare(self, email: str, password: str, name: str, client: Client) -> Account:
        """The account as it would be, its password hashed; nobody has it yet.

        Raises InvalidEmail, InvalidName, UnacceptablePassword, TryLater, Overloaded.
        """
        address = normalise_email(email)
        name = accepted_name(name)
        accepted = passwords.accept(password, (address, name))
        where = throttling.network(client.address)
        registrations = (Subject(f"registered-at:{where}", self.guard.limits.registrations),)
        async with self.guard.passed(client.address, (self._guesses(client), *registrations)) as turn:
            hash_ = await turn.hash(accepted)
            await self.guard.failed(registrations)
        return Account(
            id=self.issuer.uuid(),
            email=address,
            name=name,
            roles=("member",),
            status="active",
            password_hash=hash_,
            email_verified=False,
            created_at=datetime.fromtimestamp(self.issuer.clock(), UTC),
        )

    async def register(self, account: Account, client: Client) -> None:
        """Stores the account. Raises EmailTaken."""
        try:
            async with self.work.transaction():
                await self.accounts.register(account)
                await self.mail.enqueue(Kind.EMAIL_CONFIRMATION, account, client.language)
        except EmailTaken:
            # Whoever tries address after address to see which are taken pays as for wrong passwords.
            await self.guard.failed((self._guesses(client),))
            self.audit.record("registration_taken", address=client.address)
            raise
        self.audit.record("registered", account=account.id, address=client.address)

    def _guesses(self, client: Client) -> Subject:
        """What failed sign-ins from the address count for."""
        return Subject(f"at:{throttling.network(client.address)}", self.guard.limits.address)
