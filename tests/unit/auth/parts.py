"""auth's use cases over stores in memory, with a clock that stands and hashing that is only a name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from services.auth.adapters.accounts_memory import InMemoryAccounts
from services.auth.adapters.links_memory import InMemoryLinks
from services.auth.adapters.revocations_memory import InMemoryRevocations
from services.auth.adapters.sessions_memory import InMemorySessions
from services.auth.adapters.throttle_memory import InMemoryThrottle
from services.auth.application.account_service import AccountService
from services.auth.application.email_service import EmailService
from services.auth.application.guest_service import GuestService
from services.auth.application.login_guard import LoginGuard
from services.auth.application.login_service import Client, LoginService
from services.auth.application.mailed_links import MailedLinks
from services.auth.application.mailing import Mailing
from services.auth.application.password_check import PasswordCheck
from services.auth.application.password_service import PasswordService
from services.auth.application.registration_service import RegistrationService
from services.auth.application.session_service import SessionService
from services.auth.application.token_issuer import TokenIssuer
from services.auth.domain import mails
from services.auth.domain.access_tokens import Claims
from services.auth.domain.accounts import Account
from services.auth.domain.mails import Kind, MailMessage
from services.auth.domain.sessions import Lifetimes
from services.auth.domain.throttling import Limit, Limits

LIFETIMES = Lifetimes(access=600, idle=1000, absolute=3000, grace=10)
LIMIT = Limit(free=3, first=1, ceiling=60, window=900)
HERE = Client(address="203.0.113.9", device="Firefox")


@dataclass
class NamedHashes:
    """A "hash" is its scheme and the password; every verification and every turn's network is written down."""

    scheme: str = "h1"
    verified: list[str | None] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def turn(self, network: str) -> AsyncIterator["NamedHashes"]:
        self.turns.append(network)
        yield self

    async def verify(self, hash_: str | None, password: str) -> bool:
        self.verified.append(hash_)
        return hash_ is not None and hash_.partition(":")[2] == password

    async def hash(self, password: str) -> str:
        return f"{self.scheme}:{password}"

    def outdated(self, hash_: str) -> bool:
        return not hash_.startswith(self.scheme)


class Outbox:
    """A transaction of accounts in memory, and the mails that are asked for in it: carried out when it has ended well,
    each as (what, to whom, with which secret)."""

    def __init__(self, mailing: Mailing) -> None:
        self.messages: list[MailMessage] = []
        self.sent: list[tuple[str, str, str]] = []
        self._mailing = mailing
        self._written: list[MailMessage] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        written: list[MailMessage] = []
        self._written = written
        try:
            yield
        finally:
            self._written = None
        self.messages += written
        for message in written:
            await self.carry_out(message)

    async def enqueue(
        self, kind: Kind, account: Account | None, language: str, to: str | None = None
    ) -> None:
        assert self._written is not None, "a mail goes with a change"
        self._written.append(
            mails.message(UUID(int=len(self.messages) + len(self._written) + 1), kind, account, language, to)
        )

    async def carry_out(self, message: MailMessage) -> None:
        if mail := await self._mailing(message):
            self.sent.append((mail.kind, mail.to, mail.secret))


@dataclass
class Events:
    recorded: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def record(self, event: str, **facts: object) -> None:
        self.recorded.append((event, facts))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.recorded]


@dataclass
class ClaimsSigner:
    """Its "token" is a number; the claims are kept."""

    signed: list[Claims] = field(default_factory=list)

    def sign(self, claims: Claims) -> str:
        self.signed.append(claims)
        return f"access {len(self.signed)}"


class Parts:
    """Everything wired; tests change a part before they act."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.accounts = InMemoryAccounts()
        self.sessions = InMemorySessions(LIFETIMES)
        self.revocations = InMemoryRevocations(LIFETIMES)
        self.hasher = NamedHashes()
        self.throttle = InMemoryThrottle()
        self.link_store = InMemoryLinks()
        self.events = Events()
        self.signer = ClaimsSigner()
        numbers = count(1)
        self.issuer = TokenIssuer(
            name="https://auth.test",
            audience="tests",
            lifetimes=LIFETIMES,
            tag_key=b"k" * 32,
            signer=self.signer,
            clock=lambda: self.now,
            random=lambda size: next(numbers).to_bytes(size, "big"),
        )
        self.links = MailedLinks(
            accounts=self.accounts,
            links=self.link_store,
            key=b"k" * 32,
            reset_within=1800,
            confirm_within=86400,
        )
        self.mail = Outbox(Mailing(accounts=self.accounts, links=self.links))
        common: dict[str, Any] = {
            "accounts": self.accounts,
            "issuer": self.issuer,
            "audit": self.events,
        }
        guard = LoginGuard(
            hasher=self.hasher,
            throttle=self.throttle,
            limits=Limits(account=LIMIT, address=LIMIT, registrations=LIMIT, guests=LIMIT),
            clock=lambda: self.now,
        )
        self.guest_service = GuestService(
            sessions=self.sessions,
            throttle=self.throttle,
            limit=LIMIT,
            issuer=self.issuer,
            audit=self.events,
        )
        check = PasswordCheck(guard=guard, audit=self.events)
        self.login = LoginService(
            sessions=self.sessions, revocations=self.revocations, work=self.mail, guard=guard, **common
        )
        self.session_service = SessionService(sessions=self.sessions, revocations=self.revocations, **common)
        self.registration = RegistrationService(work=self.mail, mail=self.mail, guard=guard, **common)
        self.password_service = PasswordService(
            sessions=self.sessions,
            revocations=self.revocations,
            work=self.mail,
            links=self.links,
            mail=self.mail,
            guard=guard,
            check=check,
            **common,
        )
        self.email_service = EmailService(
            accounts=self.accounts,
            work=self.mail,
            guard=guard,
            check=check,
            links=self.links,
            mail=self.mail,
            audit=self.events,
        )
        self.account_service = AccountService(
            accounts=self.accounts,
            sessions=self.sessions,
            revocations=self.revocations,
            work=self.mail,
            audit=self.events,
            clock=lambda: self.now,
        )

    async def register(self, email: str, password: str, name: str, client: Client) -> Account:
        account = await self.registration.prepare(email, password, name, client)
        await self.registration.register(account, client)
        return account

    async def account(
        self, email: str = "minji@example.com", password: str = "good sentence", **changed: Any
    ) -> UUID:
        id_ = uuid4()
        await self.accounts.register(
            Account(
                id=id_,
                email=email,
                name="Minji",
                roles=("member",),
                status=changed.get("status", "active"),
                password_hash=changed.get("password_hash", f"h1:{password}"),
                email_verified=False,
                created_at=datetime.fromtimestamp(self.now, UTC),
            )
        )
        return id_
