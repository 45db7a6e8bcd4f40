"""An account: who may sign in, under which address, with which roles."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from common import email_address, visible_text
from common.field_codes import InvalidValue
from services.auth.domain.errors import InvalidEmail, InvalidName, UnknownRole

LONGEST_NAME = 100
ROLES = frozenset({"admin", "member"})
GUEST = "guest"
"""The role of sessions without an account; no account has it."""
Status = Literal["active", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`email` is normalised (`normalise_email`); `password_hash` is an argon2id PHC string.

    `pending_email` is where the account is to move: it grants nothing before somebody has read the mail sent there
    (docs/decisions/0062-email-changes-ask-for-the-password.md).
    """

    id: UUID
    email: str
    name: str
    roles: tuple[str, ...]
    status: Status
    password_hash: str = field(repr=False)
    email_verified: bool
    created_at: datetime
    pending_email: str | None = None

    @property
    def active(self) -> bool:
        return self.status == "active"

    @property
    def erased(self) -> bool:
        return self.email == erased_email(self.id)


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
