"""What the use cases need from outside. The contract of each is written here and nowhere else.

Times are Unix seconds. Whatever a port talks to may be down; then its method raises that driver's error, the
request fails with a 5xx and nothing is assumed in the caller's favour.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from services.auth.domain.access_tokens import Claims
from services.auth.domain.accounts import Account, Status
from services.auth.domain.mails import Kind
from services.auth.domain.refresh_tokens import RefreshToken
from services.auth.domain.sessions import Session
from services.auth.domain.throttling import Subject

Clock = Callable[[], float]
"""Unix time in seconds."""
RandomBytes = Callable[[int], bytes]
"""So many bytes from the system's generator."""


class Accounts(Protocol):
    async def by_email(self, email: str) -> Account | None:
        """`email` as `lookup_email` gives it."""

    async def by_id(self, id_: UUID) -> Account | None: ...

    async def held(self, id_: UUID) -> Account | None:
        """As `by_id`, and nobody changes it before the transaction at hand has ended."""

    async def register(self, account: Account) -> None:
        """Stores the account and, in the same transaction, the message to member. Raises EmailTaken."""

    async def set_password(self, id_: UUID, new: str, *, expecting: str, confirms: str | None = None) -> bool:
        """Sets the password hash if it still is `expecting`, and takes a pending address back: whoever asked for that
        knew the former password. Whoever sets it reads the mail of `confirms`, which is the account's address or
        nothing is set. False when another change came first."""

    async def replace_hash(self, id_: UUID, new: str, *, expecting: str) -> bool:
        """Stores the same password under another hash, if the hash still is `expecting`; False when another change came
        first."""

    async def set_status(self, id_: UUID, status: Status) -> None:
        """Raises UnknownAccount."""

    async def erase(self, id_: UUID) -> None:
        """Disables the account and wipes its e-mail and name; the address is free. Idempotent.

        Raises UnknownAccount.
        """

    async def add_role(self, email: str, role: str) -> Account:
        """Idempotent. Raises UnknownAccount, UnknownRole."""

    async def remove_role(self, email: str, role: str) -> Account:
        """Idempotent. Raises UnknownAccount, UnknownRole."""

    async def propose_email(self, id_: UUID, email: str, *, expecting: str) -> Account | None:
        """Makes the address pending in place of any before it; the account's own address leaves none pending.

        None where the password hash is not `expecting` any more.
        """

    async def withdraw_email(self, id_: UUID) -> bool:
        """Leaves no address pending; whether one was."""

    async def confirm_email(self, id_: UUID, email: str) -> bool:
        """Marks the address as verified if it still is the account's."""

    async def complete_email(self, id_: UUID, email: str) -> tuple[Account, str] | None:
        """Makes the pending address the account's, verified, and tells member: the account and its former address.

        None where the address is not pending any more, or the account is disabled. Raises EmailTaken.
        """

    async def set_email(self, id_: UUID, email: str) -> tuple[Account, str]:
        """Gives the account another address at once, unverified, and tells member: the account and its former address,
        which is the same where it has the address already. Raises UnknownAccount, EmailTaken.
        """

    async def keep_email(self, id_: UUID, wanted: str) -> None:
        """Makes `wanted` pending, if nothing is, and tells member the account's address. Raises UnknownAccount."""


@dataclass(frozen=True, slots=True)
class Ended:
    """`sessions`: of which the revocation log has to hear. `count` of them, of `account`, ended now; the others before,
    and may not have been told."""

    account: UUID | None = None
    sessions: tuple[UUID, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Rotated:
    """`token` is now the session's refresh token; a repeat within the grace gets the same one again."""

    session: Session
    token: str


@dataclass(frozen=True, slots=True)
class Reused:
    """A former token came back after its grace: the session has been ended, in the same step."""

    ended: Ended


class Sessions(Protocol):
    """What ends here has ended for good, whatever dies; with the transaction around it, where there is one.

    Whoever ends sessions tells Revocations of them before anybody is told that they have ended.
    """

    async def open(self, session: Session, token: RefreshToken) -> Ended:
        """What ended to make room for it."""

    async def rotate(
        self, presented: RefreshToken, successor: RefreshToken, now: float
    ) -> Rotated | Reused | None:
        """Exchanges the session's token, atomically. None: there is no such session (any more).

        `presented` is genuine (`RefreshToken.genuine`) and `successor` is of the same session.
        """

    async def find(self, id_: UUID, now: float) -> Session | None:
        """The session if it is alive."""

    async def of(self, account: UUID, now: float) -> list[Session]:
        """The account's living sessions, the latest seen first."""

    async def end(self, id_: UUID, now: float) -> Ended:
        """Ends the session, unless it was over already."""

    async def end_all(self, account: UUID, now: float, *, except_for: UUID | None = None) -> Ended:
        """Ends the account's sessions but one."""


class Revocations(Protocol):
    """The revocation log (docs/contracts.md), by which gateways and services refuse tokens of sessions that ended."""

    async def tell(self, ended: Ended, now: float) -> None:
        """Returns when everybody who follows the log hears of them. After the transaction that ended them."""


class HashingTurn(Protocol):
    """A place in the bounded hashing pool."""

    async def verify(self, hash_: str | None, password: str) -> bool:
        """Whether the password is the hash's. None (nobody's hash) costs the same time and is False."""

    async def hash(self, password: str) -> str: ...


class Passwords(Protocol):
    def turn(self, network: str) -> AbstractAsyncContextManager[HashingTurn]:
        """Waits for a place. `network`: whose turn it is, as `throttling.network` gives it; they take turns.

        Raises Overloaded when too many wait: at once, or while waiting, where a network with fewer places comes.
        Whoever has the only place of a network is not refused any more.
        """

    def outdated(self, hash_: str) -> bool:
        """Whether the hash was made with other parameters than today's."""


class Throttle(Protocol):
    async def familiar(self, account: str, network: str) -> bool:
        """Whether `remember` was called for the pair lately, and `estrange` not after it."""

    async def remember(self, account: str, network: str, now: float) -> None:
        """`now`: before the password that made the network familiar was looked up."""

    async def estrange(self, account: str, now: float) -> None:
        """Forgets what was remembered with an earlier `now`, for every network of the account."""

    async def wait(self, subjects: Iterable[Subject], now: float) -> int:
        """Seconds until the next attempt is allowed for all of them; 0 for now."""

    async def failed(self, subjects: Iterable[Subject], now: float) -> None: ...

    async def forget(self, subjects: Iterable[Subject]) -> None: ...


class Links(Protocol):
    """What mailed links stand for. A link is known by the SHA-256 of its secret."""

    async def put(self, kind: str, digest: str, content: Mapping[str, str], lifetime: int) -> bool:
        """`lifetime` in seconds. False, and nothing is put, where the link was taken: its mail is tried once more."""

    async def look(self, kind: str, digest: str) -> Mapping[str, str] | None:
        """The content; the link stays good."""

    async def take(self, kind: str, digest: str) -> Mapping[str, str] | None:
        """The content, once: of two callers with one link, one gets it."""


class Signer(Protocol):
    def sign(self, claims: Claims) -> str:
        """The access token in compact form."""


class PublicKeys(Protocol):
    def published(self) -> list[Mapping[str, str]]:
        """The public keys that may have signed a living token or soon will sign one, as JWKs (RFC 7517 §4)."""


class TokenReader(Protocol):
    def session_of(self, authorization: str | None) -> UUID | None:
        """The session that a Bearer token of auth's names, be it expired; None for anything else."""


class Mail(Protocol):
    async def enqueue(
        self, kind: Kind, account: Account | None, language: str, to: str | None = None
    ) -> None:
        """A mail about the account as it is now, in the `language` of who caused it: kept with the change around it or
        not at all, and sent afterwards, until it is delivered or refused for good (application/mailing.py).

        Of nobody's account none is sent, which takes the caller as long.
        """


class UnitOfWork(Protocol):
    """Makes what happens inside one change: all of it is kept, or none. For Accounts, Sessions, Links and
    Mail."""

    def transaction(self) -> AbstractAsyncContextManager[object]: ...


class Audit(Protocol):
    def record(self, event: str, **facts: object) -> None:
        """One security event. Facts are ids and addresses, never a password, token or link."""
