"""What auth's calls take and give, as JSON. Members that a body has beyond these are ignored."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from common import email_address
from services.auth.domain import passwords
from services.auth.domain.accounts import LONGEST_NAME

Email = Annotated[
    str,
    Meta(
        examples=["test@example.com"],
        extra_json_schema={"extra": {"min_length": 3, "max_length": email_address.LONGEST}},
    ),
]
# Signing in answers what is no address as an unknown one.
Login = Annotated[str, Meta(min_length=1, max_length=320, examples=["test@example.com"])]
# Only a bound on the work that a stranger can cause; the rules for new passwords are in domain/passwords.py.
Password = Annotated[str, Meta(min_length=1, max_length=1024, examples=["password123"])]
# Documented here, decided by the domain: it knows the form in which length counts.
NewPassword = Annotated[
    str,
    Meta(
        examples=["a long and private sentence"],
        extra_json_schema={"extra": {"min_length": passwords.SHORTEST, "max_length": passwords.LONGEST}},
    ),
]
Name = Annotated[
    str,
    Meta(
        description="Holds something visible, and no control characters.",
        examples=["Kim Minji"],
        extra_json_schema={"extra": {"min_length": 1, "max_length": LONGEST_NAME}},
    ),
]
OpaqueToken = Annotated[str, Meta(min_length=1, max_length=512, description="Opaque; treat it as a secret.")]
LinkToken = Annotated[str, Meta(min_length=1, max_length=128, description="From the mailed link.")]


class Registered(msgspec.Struct):
    email: Email
    password: NewPassword
    name: Name


class Credentials(msgspec.Struct):
    email: Login
    password: Password


class RefreshBody(msgspec.Struct):
    refresh_token: OpaqueToken


class LogoutBody(msgspec.Struct):
    refresh_token: OpaqueToken | None = None


class PasswordChange(msgspec.Struct):
    current_password: Password
    new_password: NewPassword


class PasswordForgotten(msgspec.Struct):
    email: Login


class PasswordReset(msgspec.Struct):
    token: LinkToken
    new_password: NewPassword


class EmailChange(msgspec.Struct):
    """`current_password`: of whoever asks, who may be an administrator."""

    email: Email
    current_password: Password


class EmailConfirmation(msgspec.Struct):
    token: LinkToken


class StatusBody(msgspec.Struct):
    status: Annotated[
        Literal["active", "disabled", "deleted"],
        Meta(description="`deleted` is disabled for good, its e-mail and name wiped."),
    ]


class EmailBody(msgspec.Struct):
    email: Email


class Tokens(msgspec.Struct, frozen=True):
    """RFC 6749 §5.1; lifetimes in seconds from now."""

    access_token: Annotated[str, Meta(description="JWT, ES256 (RFC 9068).")]
    expires_in: Annotated[int, Meta(examples=[600])]
    refresh_token: Annotated[str, Meta(description="Opaque; good for one use.")]
    refresh_expires_in: Annotated[int, Meta(examples=[1209600])]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme


class Verified(msgspec.Struct, frozen=True):
    """`exp` in Unix seconds."""

    sub: UUID
    sid: UUID
    roles: list[str]
    exp: int
    active: Literal[True] = True


class AccountBody(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    name: str
    roles: list[str]
    email_verified: bool
    pending_email: Annotated[
        str | None, Meta(description="Where the account moves once the link that was mailed there is opened.")
    ]
    created_at: datetime


class SessionBody(msgspec.Struct, frozen=True):
    id: UUID
    device: Annotated[str, Meta(description="What the client called itself (User-Agent).")]
    address: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


class SessionsBody(msgspec.Struct, frozen=True):
    items: list[SessionBody]


class KeyBody(msgspec.Struct, frozen=True):
    """A public key (RFC 7517 §4, RFC 7518 §6.2.1)."""

    kid: str
    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    use: Literal["sig"]
    alg: Literal["ES256"]


class KeySetBody(msgspec.Struct, frozen=True):
    keys: list[KeyBody]
