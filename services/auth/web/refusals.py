"""The one table that gives auth's refusals their HTTP status."""

from services.auth.domain import errors
from services.chassis.errors import (
    BadRequest,
    Conflict,
    FieldError,
    InvalidInput,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from services.chassis.problems import Refusals


def _wrong_credentials(error: errors.WrongCredentials) -> Unauthenticated:
    # No token was sent, so RFC 6750 §3.1 wants no error code.
    return Unauthenticated(str(error), error="")


def _email(_: errors.InvalidEmail) -> InvalidInput:
    return InvalidInput([FieldError.of("email", "invalid_email")])


def _name(error: errors.InvalidName) -> InvalidInput:
    return InvalidInput([FieldError.refusing("name", error.value)])


def _password(error: errors.UnacceptablePassword) -> InvalidInput:
    return InvalidInput([FieldError.refusing("password", error.value)])


def _current_password(_: errors.WrongPassword) -> InvalidInput:
    return InvalidInput([FieldError.of("current_password", "wrong_password")])


def _try_later(error: errors.TryLater) -> TooManyRequests:
    return TooManyRequests(str(error), retry_after=error.seconds)


REFUSALS: Refusals = {
    errors.InvalidEmail: _email,
    errors.InvalidName: _name,
    errors.EmailTaken: Conflict,
    errors.UnacceptablePassword: _password,
    errors.WrongCredentials: _wrong_credentials,
    errors.WrongPassword: _current_password,
    errors.SessionEnded: Unauthenticated,
    errors.UnknownSession: NotFound,
    errors.UnknownAccount: NotFound,
    errors.InvalidLink: BadRequest,
    errors.TryLater: _try_later,
    errors.Overloaded: Unavailable,
}
