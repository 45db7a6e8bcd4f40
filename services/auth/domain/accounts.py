"""An account: who may sign in, under which address, with which roles."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from common import email_address, visible_text
from common.field_codes import InvalidValue
from services.auth.domain.errors import InvalidEmail, InvalidName, UnknownRole

LONGEST_NAME = 100
ROLES = frozenset({"admin", "member"})
Status = Literal["active", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`email` is normalised (`normalise_email`); `password_hash` is an argon2id PHC string.

    `former_email` is kept after a change of `email` until the password was given at a sign-in with the new one: an
    access token suffices for the change, and must not suffice for the account (docs/decisions/0012-email-changes.md).
    """

    id: UUID
    email: str
    name: str
    roles: tuple[str, ...]
    status: Status
    password_hash: str = field(repr=False)
    email_verified: bool
    created_at: datetime
    former_email: str | None = None

    @property
    def active(self) -> bool:
        return self.status == "active"

    @property
    def erased(self) -> bool:
        return self.email == erased_email(self.id)

    @property
    def recovery_email(self) -> str:
        """Where links go that let choose a new password."""
        return self.former_email or self.email

    def moved(self, email: str) -> "Account":
        """Signing in with another address, whose owner nobody has shown to be the account's."""
        former = None if email == self.recovery_email else self.recovery_email
        return replace(self, email=email, email_verified=False, former_email=former)

    @property
    def gives_way(self) -> bool:
        """Whether nobody has shown the address to be theirs, neither by its mail nor by signing in with it: then
        somebody who wants it gets it, and the account is `moved` back. Nobody keeps addresses from their owners by
        moving to them."""
        return self.former_email is not None and not self.email_verified

    def recovered(self, password_hash: str) -> "Account":
        """With a new password, by a link that was mailed to the recovery address: the account is back there."""
        return replace(
            self,
            email=self.recovery_email,
            email_verified=True,
            former_email=None,
            password_hash=password_hash,
        )


def normalise_email(text: str) -> str:
    """The one spelling under which an address is stored and looked up. Raises InvalidEmail."""
    try:
        return email_address.normalise(text)
    except InvalidValue as error:
        raise InvalidEmail from error


def accepted_name(text: str) -> str:
    """A name in its stored form (common/visible_text.py): it ends up in mails and logs. Raises InvalidName."""
    try:
        return visible_text.line(text, LONGEST_NAME)
    except InvalidValue as fault:
        raise InvalidName(fault) from fault


def lookup_email(text: str) -> str:
    """Like `normalise_email`, but what is no address becomes a short text that no account has.

    Sign-in must not answer a malformed address otherwise than an unknown one.
    """
    try:
        return normalise_email(text)
    except InvalidEmail:
        return "no address: " + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def erased_email(id_: UUID) -> str:
    """What stands for the address of an erased account: unique, and nothing that `normalise_email` gives."""
    return f"deleted-{id_}@invalid."


def with_role(roles: tuple[str, ...], role: str) -> tuple[str, ...]:
    """`roles` and `role`, each once, in a stable order. Raises UnknownRole."""
    return tuple(sorted({*roles, _known(role)}))


def without_role(roles: tuple[str, ...], role: str) -> tuple[str, ...]:
    """`roles` but `role`, in a stable order. Raises UnknownRole."""
    return tuple(sorted({*roles} - {_known(role)}))


def _known(role: str) -> str:
    if role not in ROLES:
        raise UnknownRole(f"There is no role {role!r}; roles are {', '.join(sorted(ROLES))}.")
    return role
