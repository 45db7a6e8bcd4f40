"""The domain's refusals and the statuses that they have over HTTP; the one table of it."""

from services.chassis import errors
from services.chassis.problems import Refusals
from services.member.domain.errors import (
    EmailIsSignIn,
    EmailTaken,
    InvalidMember,
    NotYours,
    StaleMember,
    UnknownMember,
)


class EmailChangeRefused(errors.Conflict):
    type = "/problems/email-is-sign-in"
    title = "The e-mail address is changed elsewhere"


def _invalid(error: InvalidMember) -> errors.Problem:
    return errors.InvalidInput(
        [errors.FieldError.refusing(field, fault) for field, fault in error.faults.items()]
    )


REFUSALS: Refusals = {
    UnknownMember: errors.NotFound,
    EmailTaken: errors.Conflict,
    EmailIsSignIn: EmailChangeRefused,
    StaleMember: errors.PreconditionFailed,
    NotYours: errors.Forbidden,
    InvalidMember: _invalid,
}
