"""The domain's refusals and the statuses that they have over HTTP; the one table of it."""

from services.chassis import errors
from services.chassis.problems import Refusals
from services.member.domain.errors import (
    EmailTaken,
    EmailUnderWay,
    InvalidMember,
    NotYours,
    StaleMember,
    UnknownMember,
)


def _under_way(error: EmailUnderWay) -> errors.Problem:
    return errors.Unavailable(str(error))


def _invalid(error: InvalidMember) -> errors.Problem:
    return errors.InvalidInput(
        [errors.FieldError.refusing(field, fault) for field, fault in error.faults.items()]
    )


REFUSALS: Refusals = {
    UnknownMember: errors.NotFound,
    EmailTaken: errors.Conflict,
    EmailUnderWay: _under_way,
    StaleMember: errors.PreconditionFailed,
    NotYours: errors.Forbidden,
    InvalidMember: _invalid,
}
