"""An account: who may sign in, under which address, with which roles."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from services.auth.domain.errors import InvalidEmail, UnknownRole

ROLES = frozenset({"admin", "member"})
Status = Literal["active", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`email` is normalised (`normalise_email`); `password_hash` is an argon2id PHC string."""

    id: UUID
    email: str
    name: str
    roles: tuple[str, ...]
    status: Status
    password_hash: str = field(repr=False)
    email_verified: bool
    created_at: datetime

    @property
    def active(self) -> bool:
        return self.status == "active"


def normalise_email(text: str) -> str:
    """The one spelling under which an address is stored and looked up: NFC, lower case.

    The local part is folded too: RFC 5321 §2.4 lets a host tell case apart, none that people use does,
    and two accounts that differ in case alone would be one person's.
    Whether the domain exists is for the confirmation mail to find out. Raises InvalidEmail.
    """
    try:
        return validate_email(
            text.strip(), check_deliverability=False, test_environment=True, strict=True
        ).normalized.lower()
    except EmailNotValidError as error:
        raise InvalidEmail(str(error)) from error


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
